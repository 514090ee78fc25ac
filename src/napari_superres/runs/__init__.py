"""Run folders, checkpoints and devices."""
