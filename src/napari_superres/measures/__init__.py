"""Measures of labelled volumes and slices, each with its definition and source."""
