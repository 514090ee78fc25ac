"""The fusion networks and their training (Dahari et al. 2022)."""
