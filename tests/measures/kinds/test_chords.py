import numpy as np
import pytest
from hypothesis import given

from napari_superres.measures.kinds.chords import (
    chord_counts,
    chord_distribution,
    mean_chord_lengths,
)
from tests.measures.materials import bernoulli, labels, lamellae


def test_lamellae_have_chords_of_their_thickness():
    counts = chord_counts(lamellae((20, 3, 3), 4, axis=0), 2)
    assert counts[0].nonzero()[1].tolist() == [4, 4]
    assert counts[0, :, 4].tolist() == [9, 18]


def test_chords_that_touch_a_face_are_left_out_unless_asked_for():
    line = np.array([[0, 0, 1, 1, 1, 0, 1]], np.uint8)
    assert chord_counts(line, 2)[1].tolist() == [[0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0]]
    assert chord_counts(line, 2, keep_cut=True)[1, :, :4].tolist() == [[0, 1, 1, 0], [0, 1, 0, 1]]


def test_runs_do_not_go_on_in_the_next_line():
    assert chord_counts(np.zeros((4, 5), np.uint8), 1, keep_cut=True)[1, 0, 5] == 4


def test_a_bernoulli_field_has_geometric_chords():
    counts = chord_counts(bernoulli((96, 96, 96), (0.4, 0.6)), 2)
    number = counts[:, 0].sum(axis=0)
    assert number[1:6] / number.sum() == pytest.approx(0.6 * 0.4 ** np.arange(5), abs=0.005)
    assert mean_chord_lengths(counts)[:, 0] == pytest.approx([1 / 0.6] * 3, abs=0.02)


def test_the_distribution_weighs_chords_by_their_voxels():
    counts = np.array([0, 3, 0, 1])
    assert chord_distribution(counts).tolist() == [0, 0.5, 0, 0.5]


def test_an_absent_phase_has_no_chords():
    counts = chord_counts(np.zeros((3, 3), np.uint8), 2)
    assert not chord_distribution(counts).any()
    assert np.isnan(mean_chord_lengths(counts)).all()


def test_a_volume_larger_than_a_batch_is_counted_whole(monkeypatch):
    volume = bernoulli((9, 10, 11), (0.3, 0.7))
    whole = chord_counts(volume, 2)
    monkeypatch.setattr("napari_superres.measures.kinds.chords.BATCH_VOXELS", 200)
    assert np.array_equal(chord_counts(volume, 2), whole)


@given(labels())
def test_every_voxel_lies_in_one_chord_along_each_axis(array):
    counts = chord_counts(array, 3, keep_cut=True)
    voxels = (counts * np.arange(counts.shape[-1])).sum(axis=-1)
    assert (voxels == np.bincount(array.ravel(), minlength=3)).all()


@given(labels(min_dims=3))
def test_permuting_axes_permutes_chords(volume):
    assert np.array_equal(
        chord_counts(volume.transpose(2, 0, 1), 3), chord_counts(volume, 3)[[2, 0, 1]]
    )


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_porespy_finds_the_same_distribution():
    porespy = pytest.importorskip("porespy")
    volume = bernoulli((40, 40, 40), (0.4, 0.6))
    spaced = np.zeros_like(volume)
    spaced[:, ::2, ::2] = volume[:, ::2, ::2]  # its chords merge with neighbours otherwise
    chords = porespy.filters.apply_chords(spaced == 1, axis=0, spacing=1)
    theirs = porespy.metrics.chord_length_distribution(
        chords, bins=np.arange(0.5, 30), normalization="length"
    )
    ours = chord_distribution(chord_counts(volume[:, ::2, ::2].copy(), 2))[0, 1]
    assert ours[1:11] == pytest.approx(theirs.pdf[:10], abs=0.01)
