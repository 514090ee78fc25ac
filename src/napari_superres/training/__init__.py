"""Training of any kind: the loop around a learner, its record, watch and clock."""
