"""Controls that any step may use: forms, pickers, plots, folds."""
