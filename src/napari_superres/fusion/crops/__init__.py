"""Training crops of the low-res volume and of the high-res slices."""
