"""Files: TIFF, OME-Zarr, NPY and images, read and written with voxel size and phases."""
