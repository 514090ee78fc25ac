"""What the scripts that take pictures of the panels share."""
