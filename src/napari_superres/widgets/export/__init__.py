"""Step 7: volumes as files."""
