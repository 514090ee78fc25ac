"""Patches of images: cutting, and regions that are held out."""
