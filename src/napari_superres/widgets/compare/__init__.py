"""Step 5: volumes side by side, and maps of where realisations agree."""
