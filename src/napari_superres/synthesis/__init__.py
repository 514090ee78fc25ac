"""Synthesis of images like scarce real ones, by a style-based generator (Liu & Mukerji 2022)."""
