"""Step 3: previews, plots and checkpoints of a running training."""
