"""How often phases meet: statistics of slices, and the loss that matches generated ones to them."""
