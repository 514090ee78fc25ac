"""Labels and one-hot phases."""

import torch

from napari_superres.training.frequencies.labels import first_largest, one_hot


def test_one_hot_has_a_one_for_each_label() -> None:
    labels = torch.tensor([[0, 2, 1]], dtype=torch.uint8)
    assert one_hot(labels, 3).argmax(1).tolist() == [[0, 2, 1]]
    assert one_hot(labels, 3).sum(1).tolist() == [[1, 1, 1]]


def test_ties_go_to_the_lowest_phase() -> None:
    logits = torch.tensor([[1.0, 0.0, 2.0, -1.0], [1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 3.0, 0.0]])
    found = first_largest(logits.view(1, 3, 1, 1, 4))
    assert found.flatten().tolist() == [0, 0, 2, 1]
    assert found.dtype == torch.uint8
