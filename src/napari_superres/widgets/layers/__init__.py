"""Layers of napari as data, and data as layers."""
