"""One file for each measure: definition, source, computation."""
