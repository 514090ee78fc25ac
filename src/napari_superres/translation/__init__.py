"""Unpaired translation of low-res images to the high-res domain (Liu & Mukerji 2022)."""
