"""The panel Translate images."""
