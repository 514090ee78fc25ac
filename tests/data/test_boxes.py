import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_superres.data.boxes import Box

ints = st.tuples(*[st.integers(-20, 20)] * 3)
sizes = st.tuples(*[st.integers(0, 12)] * 3)
boxes = st.builds(lambda start, size: Box(start, tuple(np.add(start, size).tolist())), ints, sizes)


def test_a_whole_volume_starts_at_zero():
    box = Box.whole((2, 3, 4))
    assert (box.start, box.stop, box.shape, box.size) == ((0, 0, 0), (2, 3, 4), (2, 3, 4), 24)


@given(boxes, st.integers(0, 5))
def test_growing_adds_to_both_sides(box, margin):
    assert box.grown(margin).shape == tuple(side + 2 * margin for side in box.shape)


def test_growing_may_differ_between_axes():
    assert Box.whole((4, 4, 4)).grown(0, 1, 2) == Box((0, -1, -2), (4, 5, 6))


@given(boxes, boxes)
def test_what_is_within_bounds_is_the_intersection(box, bounds):
    inside = box.within(bounds)
    assert all(lo >= at for lo, at in zip(inside.start, bounds.start, strict=True))
    assert all(hi <= at for hi, at in zip(inside.stop, bounds.stop, strict=True))
    common = [
        max(0, min(b, d) - max(a, c))
        for a, b, c, d in zip(box.start, box.stop, bounds.start, bounds.stop, strict=True)
    ]
    if all(common):
        assert inside.shape == tuple(common)
        assert inside.within(box) == inside
    else:
        assert inside.size == 0


@given(boxes, ints)
def test_moving_keeps_the_shape(box, offset):
    moved = box.moved(offset)
    assert moved.shape == box.shape
    assert moved.moved([-o for o in offset]) == box


def test_slices_count_from_the_origin():
    array = np.arange(60).reshape(3, 4, 5)
    part = Box((11, 22, 33), (13, 24, 35))
    assert np.array_equal(array[part.slices((10, 20, 30))], array[1:3, 2:4, 3:5])
