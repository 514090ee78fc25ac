"""Generators and discriminators of the fusion, for training and for inference."""
