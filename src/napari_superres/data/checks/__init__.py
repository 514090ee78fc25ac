"""Checks of inputs before anything starts."""
