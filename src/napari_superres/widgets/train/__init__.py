"""Step 2: settings and start of a training."""
