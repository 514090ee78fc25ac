"""Step 6: measures of layers, as table, plots and report."""
