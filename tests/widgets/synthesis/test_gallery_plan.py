import pytest

from napari_superres.data.phases import phases_from_values
from napari_superres.errors import SettingsError
from napari_superres.widgets.synthesis.picks import (
    bulk,
    heart_text,
    new_noise,
    new_samples,
    new_styles,
    slice_phases,
    way_between,
)

FIRST = new_samples(None, 4, 0.8, "best")


def test_new_samples_were_not_shown_before():
    again = new_samples(FIRST, 3, 1.0, "last")
    assert not set(again.styles) & set(FIRST.styles)
    assert again.styles == again.noises
    assert (again.truncation, again.checkpoint) == (1.0, "last")


def test_new_noise_holds_the_style_and_shows_the_picked_one_first():
    shown = new_noise(FIRST, [2], 3)
    assert shown.styles == (2, 2, 2)
    assert shown.noises[0] == 2
    assert len(set(shown.noises)) == 3
    assert shown.truncation == 0.8


def test_new_styles_hold_the_noise():
    shown = new_styles(FIRST, [1], 3)
    assert shown.noises == (1, 1, 1)
    assert len(set(shown.styles)) == 3


def test_the_way_goes_from_the_first_picked_to_the_second():
    way = way_between(FIRST, [3, 1], 16)
    assert (way.first, way.last, way.frames, way.noise) == (3, 1, 16, 3)


@pytest.mark.parametrize("picked", [[], [0, 1]])
def test_a_variation_needs_one_picked_sample(picked):
    with pytest.raises(SettingsError, match="Click one sample"):
        new_noise(FIRST, picked, 4)


def test_an_interpolation_needs_two_picked_samples():
    with pytest.raises(SettingsError, match="Click two"):
        way_between(FIRST, [0], 4)


def test_bulk_samples_are_those_of_the_command_line():
    from napari_superres.synthesis.sampling import SampleRequest

    ours, theirs = bulk(5, 3, 0.7, "best"), SampleRequest.choose(3, 5, truncation=0.7)
    assert (ours.styles, ours.noises) == (theirs.styles, theirs.noises)


def test_thresholded_slices_take_the_fusions_phases_where_they_fit():
    known = phases_from_values((0, 255))
    assert slice_phases(2, known) == known
    assert [phase.value for phase in slice_phases(3, known)] == [0, 1, 2]


def test_names_tell_style_and_noise():
    assert new_noise(FIRST, [2], 2).names() == ["style 2", "style 2, noise 4"]


@pytest.mark.parametrize(("distance", "verdict"), [(0.05, "Looks learnt"), (0.28, "No sign")])
def test_nearness_to_real_images_is_judged_by_unseen_ones(distance, verdict):
    assert verdict in heart_text([distance] * 3, 0.3)
