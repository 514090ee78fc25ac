"""What the panels that learn from images share."""
