"""Frequencies asked of synthetic images: phases, and levels of grey."""

from pathlib import Path

import numpy as np
import pytest
import torch

from napari_superres.config import Budget
from napari_superres.data.files.images import ImageSet
from napari_superres.events import StepCompleted
from napari_superres.synthesis import levels
from napari_superres.synthesis.levels import GreyClasses, GreyLevels, TextureLoss, palette
from napari_superres.synthesis.step import StyleLearner
from napari_superres.synthesis.training import cut_images, resume, train
from tests.synthesis.materials import TINY, assert_same_checkpoints, tiny_images, tiny_settings


def grey(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[None, None] / 127.5 - 1


def test_levels_part_the_classes_of_an_image_and_share_out_each_pixel() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(0, 4, (32, 32))
    image = (np.array([20, 80, 150, 230])[classes] + random.integers(-5, 6, (32, 32))).astype(
        np.uint8
    )
    found = GreyLevels(GreyClasses([image]))
    np.testing.assert_allclose(found.middles, [20, 80, 150, 230], atol=2)
    np.testing.assert_array_equal(found.labels(image), classes)
    shares = found.shares(grey(image))
    torch.testing.assert_close(shares.sum(1), torch.ones(1, 32, 32))
    assert float(shares.min()) >= 0
    np.testing.assert_array_equal(shares.argmax(1)[0].numpy(), classes)


def test_an_image_of_few_grey_values_has_no_more_levels_than_those() -> None:
    image = np.repeat(np.array([10, 200], np.uint8), 50)[None]
    assert len(GreyLevels(GreyClasses([image]))) == 2


def test_levels_are_searched_for_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    searched = []
    search = levels.multi_otsu
    monkeypatch.setattr(
        levels, "multi_otsu", lambda *given: (searched.append(given[1]), search(*given))[1]
    )
    settings = tiny_settings(engine=TINY.replace(grey_levels=4, frequency_weight=1.0))
    image = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    StyleLearner(cut_images(ImageSet((image,), (), None), settings)[0], 0, settings, "cpu")
    assert searched == [4]


def test_a_generator_mixes_grey_values_of_the_levels_of_the_real_images() -> None:
    image = np.repeat(np.array([10, 200], np.uint8), 50)[None]
    mixed = palette(GreyClasses([image]), 3)
    torch.testing.assert_close(mixed, torch.tensor([10.0, 105.0, 200.0]) / 127.5 - 1)
    settings = tiny_settings(engine=TINY.replace(grey_levels=3))
    images = tiny_images()
    trainer = StyleLearner(cut_images(images, settings)[0], 0, settings, "cpu")
    made = trainer.generate(2)
    assert made.shape == (2, 1, 16, 16)
    trainer.step()
    learnt = trainer.networks.generator.palette
    assert learnt is not None
    assert learnt.grad is not None


@pytest.mark.parametrize("phases", [0, 3])
def test_images_like_the_real_ones_lose_less_than_noise(phases: int) -> None:
    real = tiny_images(phases).images[0][:32, :32]
    classes, device = GreyClasses([real]), torch.device("cpu")
    loss = TextureLoss([real], phases, 32, directed=False, device=device, classes=classes)
    noise = np.random.default_rng(0).permutation(real.ravel()).reshape(real.shape)

    def of(image: np.ndarray) -> float:
        loss.frequencies.forget()
        if not phases:
            return float(loss(grey(image)))
        one_hot = np.eye(phases, dtype=np.float32)[image].transpose(2, 0, 1)
        return float(loss(torch.from_numpy(one_hot)[None]))

    assert of(real) < 0.8 * of(noise)


def test_a_run_with_the_frequency_loss_resumes_to_the_same_weights(tmp_path: Path) -> None:
    settings = tiny_settings(engine=TINY.replace(frequency_weight=1.0))
    whole = train(tiny_images(3), settings, tmp_path / "whole", Budget(steps=4))
    losses = [event.losses for event in whole if isinstance(event, StepCompleted)]
    assert all("frequencies" in terms for terms in losses)
    list(train(tiny_images(3), settings, tmp_path / "parts", Budget(steps=2)))
    list(resume(tmp_path / "parts", Budget(steps=4)))
    assert_same_checkpoints(tmp_path / "whole", tmp_path / "parts")
