"""The bench in napari. Nothing outside this folder imports napari, Qt or magicgui."""
