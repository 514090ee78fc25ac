"""Step 1: the inputs, their voxel sizes and phases, and checks of them."""
