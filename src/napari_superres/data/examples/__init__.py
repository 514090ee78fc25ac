"""Example pairs: generated, published, and simulated from a fine volume."""
