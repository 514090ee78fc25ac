"""Batches of real patches, as the networks of synthesis and translation take them.

Legend of shape suffixes: B images, C channels, Y X pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from napari_superres.data.patches import Patches
from napari_superres.training.frequencies.labels import first_largest, one_hot


def as_network(labels_BYX: Tensor, phases: int) -> Tensor:
    """Return images for the networks: grey values as −1 … 1, or phases as one-hot.

    Parameters
    ----------
    labels_BYX : uint8 grey values, or phase indices
    phases : how many; 0 for grey values

    Returns
    -------
    (B, C, Y, X) float32
    """
    if phases == 0:
        return labels_BYX[:, None].float() / 127.5 - 1
    return one_hot(labels_BYX, phases)


def as_pixels(images_BCYX: Tensor, phases: int) -> Tensor:
    """Return uint8 grey values or phase indices, (B, Y, X), on the CPU; undoes `as_network`."""
    if phases == 0:
        grey = ((images_BCYX[:, 0] + 1) * 127.5).round().clamp(0, 255)
        return grey.to(torch.uint8).cpu()
    return first_largest(images_BCYX).cpu()


class RealImages:
    """Draws real patches, rotated and mirrored where the material allows it.

    Parameters
    ----------
    patches : to draw from
    phases : how many; 0 for grey values
    directed : patches are shown as they are, not turned or mirrored
    device : of the networks
    """

    def __init__(self, patches: Patches, phases: int, directed: bool, device: torch.device) -> None:
        self.patches, self.phases = patches, phases
        self.directed, self.device = directed, device

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """Return (count, C, Y, X) float32."""
        chosen = torch.randint(len(self.patches), (count,), generator=random)
        pixels = torch.from_numpy(self.patches.take(chosen.numpy()))
        if not self.directed:
            ways = torch.randint(8, (count,), generator=random).tolist()
            pixels = torch.stack(
                [turned(image, way) for image, way in zip(pixels, ways, strict=True)]
            )
        return as_network(pixels.to(self.device), self.phases)


def turned(image_YX: Tensor, way: int) -> Tensor:
    """Return one of the 8 rotations and mirrors of a square image."""
    image = torch.rot90(image_YX, way % 4, (-2, -1))
    return image.flip(-1) if way >= 4 else image
