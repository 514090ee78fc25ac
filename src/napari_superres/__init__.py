"""Fuse coarse segmented 3D volumes with sharp segmented 2D slices.

Dahari et al. 2022, "Fusion of complementary 2D and 3D mesostructural datasets
using generative adversarial networks". Importing this package imports neither
torch nor napari.
"""

import os

# torch looks at it when it is loaded: what Apple's GPU lacks is then done by the processor
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__version__ = "0.1.0"
