"""Step 4: super-res volumes from a run."""
