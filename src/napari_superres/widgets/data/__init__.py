"""Step 1: the inputs and what is known of them."""
