import numpy as np
import pytest

from napari_superres.data.pair import Pair
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import ScaleFactorError
from napari_superres.scale_factor import parse_scale_factor

LOW = (Phase(0), Phase(128))
HIGH = (Phase(0, "pore"), Phase(1, "active"), Phase(2, "binder"))


def pair(coarse=None, fine=None, low=LOW, high=HIGH):
    low_res = SegmentedVolume(np.zeros((4, 4, 4), np.uint8), low, coarse)
    return Pair(low_res, SegmentedSlices(((np.zeros((8, 8), np.uint8),),), high, fine))


def test_equal_values_map_to_each_other_by_default():
    assert pair(low=HIGH, high=HIGH[:2]).default_phase_map == {0: 0, 1: 1}
    assert pair().default_phase_map is None


def test_both_voxel_sizes_imply_the_scale_factor():
    found = pair((0.4, 0.4, 0.2), (0.1, 0.1, 0.1)).implied_scale_factor
    assert found == parse_scale_factor("4,4,2")
    assert pair((0.4,) * 3).implied_scale_factor is None
    with pytest.raises(ScaleFactorError, match="outside 1 to 16"):
        _ = pair((0.1,) * 3, (0.4,) * 3).implied_scale_factor


def test_an_unknown_low_res_voxel_size_follows_from_the_slices():
    factor = parse_scale_factor("4,2,2")
    assert pair(fine=(0.1,) * 3).with_voxel_size(factor).low_res.voxel_size == (0.4, 0.2, 0.2)
    assert pair((0.5,) * 3, (0.1,) * 3).with_voxel_size(factor).low_res.voxel_size == (0.5,) * 3
    assert pair().with_voxel_size(factor).low_res.voxel_size is None


def test_low_res_phases_take_the_names_of_their_high_res_phases():
    named = pair().with_phase_names({1: "cathode"}, {0: 0, 1: 128, 2: 0})
    assert [phase.name for phase in named.high_res.phases] == ["pore", "cathode", "binder"]
    assert [phase.name for phase in named.low_res.phases] == ["pore + binder", "cathode"]
