"""Measures of labelled volumes and slices, each with its definition and source.

Labels that are no phase indices of a volume or slice raise a ShapeError or a PhaseError,
see `measures.arrays.as_labels`.
"""
