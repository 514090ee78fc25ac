"""How often phases meet: statistics of slices, and the loss that asks generated ones to match."""
