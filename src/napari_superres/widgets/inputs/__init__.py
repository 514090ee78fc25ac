"""The inputs of a training, read from layers."""
