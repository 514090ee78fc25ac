"""Super-res volumes from a trained generator, identical however they are cut."""
