"""Training, whatever is learnt: the loop around a learner, its record, watch and clock."""
