"""Thresholds that turn a grey image into phases."""
