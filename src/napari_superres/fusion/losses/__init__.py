"""The losses of the fusion."""
