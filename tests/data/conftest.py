from __future__ import annotations

import pytest

from napari_superres.data.examples.pair import Example, example_pair


@pytest.fixture(scope="session")
def small() -> Example:
    """Return a small example: 64³ truth, 16³ low-res, one slice of 128²."""
    return example_pair(size=64, seed=3, slices=1, slice_size=128)
