"""Results as files that are written part by part and can be continued after an interruption."""
