from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_superres.config import GenerationSettings
from napari_superres.data.boxes import Box
from napari_superres.data.volumes import SegmentedVolume
from napari_superres.errors import FileError, PhaseError, ScaleFactorError, ShapeError
from napari_superres.fusion.networks.reference import import_reference_generator
from napari_superres.fusion.networks.trained import load_generator
from napari_superres.generation.noise import NoiseField
from napari_superres.generation.render import generate

MAP = {0: 0, 128: 255, 255: 255}
SHAPE = (3, 6, 3)


class AsPublished(nn.Module):
    """The published layer list under the published names, written from the method's text."""

    def __init__(self, inputs: int, outputs: int, factor: Fraction) -> None:
        super().__init__()
        width = 2 ** (7 + int(math.log2(factor - 1e-4)))
        self.rest = factor
        self.conv_minus_1, self.bn_minus_1 = conv(inputs, width), nn.BatchNorm3d(width)
        # one block of two runs; the rest is built and never run
        self.conv_res = nn.ModuleList(conv(width, width) for _ in range(3))
        self.bn_res = nn.ModuleList(nn.BatchNorm3d(width) for _ in range(3))
        if factor > 4:
            self.conv_resize_0 = conv(width, width // 2)
            self.bn_resize_0 = nn.BatchNorm3d(width // 2)
            self.rest, width = self.rest / 2, width // 2
        if factor > 2:
            self.conv_trans = nn.ConvTranspose3d(width, 128, 4, 2, 1)
            self.bn_trans = nn.BatchNorm3d(128)
            self.rest = self.rest / 2
        self.conv_resize, self.bn_resize = conv(128, 64), nn.BatchNorm3d(64)
        self.conv_bf_end = conv(64, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x0 = F.relu(self.bn_minus_1(self.conv_minus_1(x)))
        y = F.relu(self.bn_res[0](self.conv_res[0](x0)))
        y = F.relu(self.bn_res[1](self.conv_res[1](y)) + x0) + x0
        if hasattr(self, "conv_resize_0"):
            y = F.relu(self.bn_resize_0(self.conv_resize_0(trilinear(y, 2))))
        if hasattr(self, "conv_trans"):
            y = F.relu(self.bn_trans(self.conv_trans(y)))
        y = F.relu(self.bn_resize(self.conv_resize(trilinear(y, self.rest))))
        return torch.softmax(self.conv_bf_end(y), 1)


def conv(c_in: int, c_out: int) -> nn.Conv3d:
    return nn.Conv3d(c_in, c_out, 3, padding=1, padding_mode="replicate")


def trilinear(x: Tensor, factor: Fraction | int) -> Tensor:
    return F.interpolate(x, scale_factor=float(factor), mode="trilinear", align_corners=False)


def published(factor: str, inputs: int = 3) -> AsPublished:
    torch.manual_seed(0)
    network = AsPublished(inputs, 3, Fraction(factor)).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.05, 0.5)
    network.conv_bf_end.weight.data.mul_(5)
    return network


def volume(shape: tuple[int, int, int] = SHAPE) -> SegmentedVolume:
    labels = np.random.default_rng(0).integers(0, 2, shape) * 255
    return SegmentedVolume.from_labels(labels.astype(np.uint8))


def one_hot(low_res: SegmentedVolume) -> Tensor:
    return F.one_hot(torch.from_numpy(low_res.labels).long()).movedim(-1, 0)[None].float()


def saved(network: nn.Module, folder: Path, prefix: str = "") -> Path:
    path = folder / "generator.pt"
    torch.save({prefix + name: value for name, value in network.state_dict().items()}, path)
    return path


@pytest.mark.parametrize("factor", ["8/5", "2", "4", "16/3"])
def test_an_imported_generator_gives_what_it_gave(factor: str, tmp_path: Path) -> None:
    network, low_res = published(factor), volume((5, 5, 5) if factor == "8/5" else SHAPE)
    path = saved(network, tmp_path, "module.")
    run = import_reference_generator(path, low_res, factor, MAP, tmp_path / "run")
    whole = Box.whole([int(size * Fraction(factor)) for size in low_res.shape])
    noise = torch.randn(1, 1, *low_res.shape)
    with torch.no_grad():
        expected = network(torch.cat([one_hot(low_res), noise], 1))
        generator = load_generator(run)
        found = generator(one_hot(low_res), whole, low_res.shape, lambda *_: noise)
    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_run_with_imported_weights_generates(tmp_path: Path) -> None:
    network, low_res = published("2"), volume((6, 6, 6))
    noise = NoiseField(0)(0, Box.whole(low_res.shape), torch.zeros(1))
    with torch.no_grad():
        inputs = torch.cat([one_hot(low_res), noise], 1)
        network.conv_bf_end.bias -= network(inputs).log().mean((0, 2, 3, 4))  # so all phases appear
        expected = network(inputs).argmax(1)[0].numpy()
    path = saved(network, tmp_path)
    run = import_reference_generator(path, low_res, 2, MAP, tmp_path / "run")
    settings = GenerationSettings(precision="float32", device="cpu")
    labels = list(generate(run.path, settings))[-1].labels
    assert len(np.unique(expected)) > 1
    assert (labels == expected).mean() > 0.999


def test_a_generator_without_noise_is_imported_without(tmp_path: Path) -> None:
    path = saved(published("2", inputs=2), tmp_path)
    run = import_reference_generator(path, volume(), 2, MAP, tmp_path / "run")
    assert run.settings.engine.noise == "off"
    assert not load_generator(run).input_noise


def test_another_scale_factor_shows_in_the_shapes(tmp_path: Path) -> None:
    path = saved(published("2"), tmp_path)
    with pytest.raises(FileError, match=r"lacks conv_trans\.weight.*scale factor 4"):
        import_reference_generator(path, volume(), 4, MAP, tmp_path / "run")
    path = saved(published("4"), tmp_path)
    with pytest.raises(ShapeError, match=r"conv_minus_1\.weight has the shape \(256, 3.*128, 3"):
        import_reference_generator(path, volume(), 2, MAP, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_number_of_phases_is_reported(tmp_path: Path) -> None:
    path = saved(published("2"), tmp_path)
    with pytest.raises(PhaseError, match=r"makes 3 phases.*names 2"):
        import_reference_generator(path, volume(), 2, {0: 0, 255: 255}, tmp_path / "run")
    three = SegmentedVolume.from_labels(np.arange(4, dtype=np.uint8).reshape(1, 2, 2))
    with pytest.raises(PhaseError, match=r"reads 3 channels.*has 4 phases"):
        import_reference_generator(path, three, 2, {k: k for k in range(4)}, tmp_path / "run")


def test_what_is_no_generator_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"not weights")
    with pytest.raises(FileError, match="cannot be read as weights"):
        import_reference_generator(path, volume(), 2, MAP, tmp_path / "run")
    torch.save({"0.weight": torch.zeros(2)}, path)
    with pytest.raises(FileError, match=r"no generator .*0\.weight"):
        import_reference_generator(path, volume(), 2, MAP, tmp_path / "run")
    with pytest.raises(ScaleFactorError, match="up to 8"):
        import_reference_generator(path, volume(), 16, MAP, tmp_path / "run")


def test_layers_unknown_to_the_network_are_reported(tmp_path: Path) -> None:
    network = published("2")
    network.attention = nn.Linear(1, 1)
    path = saved(network, tmp_path)
    with pytest.raises(FileError, match=r"has attention\.weight"):
        import_reference_generator(path, volume(), 2, MAP, tmp_path / "run")
