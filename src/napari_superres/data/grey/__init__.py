"""Grey values to phases: histograms, thresholds, segmentation."""
