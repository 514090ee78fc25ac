from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_superres.data.files.images import ImageSet, read_images
from napari_superres.errors import FileError, NotSegmentedError, ShapeError
from tests.memory import peak_bytes

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def test_few_values_are_phases_and_many_are_grey(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "grey.tif", RAMP)
    tifffile.imwrite(tmp_path / "phases.tif", RAMP // 100)
    assert not read_images(tmp_path / "grey.tif").segmented
    assert [phase.value for phase in read_images(tmp_path / "phases.tif").phases] == [0, 1, 2]


def test_a_stack_counts_as_many_images(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([RAMP] * 3), photometric="minisblack")
    assert len(read_images([tmp_path / "stack.tif"], segmented=False).images) == 3


def test_a_png_is_read_as_a_tiff_is(tmp_path: Path) -> None:
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    assert (read_images(tmp_path / "a.png").images[0] == RAMP).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA", "CMYK"])
def test_a_picture_with_transparency_or_colours_is_one_grey_image(tmp_path: Path, mode) -> None:
    bands = [RAMP] + [np.zeros_like(RAMP)] * (len(Image.new(mode, (1, 1)).getbands()) - 1)
    file = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.merge(mode, [Image.fromarray(band) for band in bands]).save(file)
    (image,) = read_images(file, segmented=False).images
    assert image.shape == RAMP.shape


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_value_that_is_no_number_is_refused_in_whichever_image(damaged: int) -> None:
    images = [RAMP.astype(np.float32) for _ in range(2)]
    images[damaged][0, 0] = np.nan
    with pytest.raises(ShapeError, match="differ"):
        ImageSet.from_grey(images)


def test_deeper_grey_values_are_spread_together() -> None:
    images = ImageSet.from_grey([np.array([[100, 180]], np.uint16), np.array([[300]], np.uint16)])
    assert [image.tolist() for image in images.images] == [[[0, 102]], [[255]]]


def test_many_deep_grey_images_are_spread_one_at_a_time() -> None:
    stack = np.arange(32 * 64 * 64, dtype=np.float32).reshape(32, 64, 64)
    assert peak_bytes(lambda: ImageSet.from_grey([stack])) < 3 * stack.size  # bytes, all float64: 8


def test_grey_images_are_no_phases(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "grey.tif", RAMP)
    with pytest.raises(NotSegmentedError):
        read_images(tmp_path / "grey.tif", segmented=True)


def test_a_missing_or_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(FileError, match="no file"):
        read_images(tmp_path / "absent.tif")
    with pytest.raises(FileError, match="damaged"):
        read_images(tmp_path / "broken.png")


def test_one_value_everywhere_in_a_deep_image_is_refused() -> None:
    with pytest.raises(ShapeError, match="differ"):
        ImageSet.from_grey([np.full((4, 4), 7.0)])
