"""Segmented volumes and slices, and everything done to them without a network."""
