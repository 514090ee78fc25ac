from __future__ import annotations

import pytest
from tests.cli.conftest import blocks

from napari_superres.data.files.tiff import write_labels_tiff

torch = pytest.importorskip("torch")


def test_weights_of_another_network_end_in_one_line_and_status_2(cli, pair, tmp_path):
    weights = tmp_path / "discriminator.pt"
    torch.save({"0.weight": torch.zeros(3)}, weights)
    result = cli(
        *("import-reference", weights, "--low-res", pair.low_res),
        *("--scale-factor", 2, "--run", tmp_path / "run"),
    )
    assert result.status == 2
    assert "no generator of the reference code" in result.err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def weights(tmp_path):
    """Return a file of the reference's layout: scale factor 2, two phases."""
    from napari_superres.config import PRESETS, Preset
    from napari_superres.fusion.networks.designs import build_generator
    from napari_superres.fusion.networks.reference import _names
    from napari_superres.scale_factor import parse_scale_factor

    engine = PRESETS[Preset.PAPER].replace(residual_blocks=1)
    generator = build_generator(engine, parse_scale_factor(2), 2, 2)
    state = generator.state_dict()
    torch.save({name: state[key] for key, name in _names(generator)}, tmp_path / "g.pt")
    return tmp_path / "g.pt"


@pytest.fixture(params=["without slices", "with slices"])
def imported(request, cli, pair, weights, tmp_path):
    """Return a run made of the weights by the command line."""
    slices, run = tmp_path / "slices.tif", tmp_path / "run"
    write_labels_tiff(slices, blocks((1, 64, 64), 8, 2), voxel_size=(0.2, 0.2, 0.2))
    options = ["--low-res", pair.low_res, "--scale-factor", 2, "--run", run]
    if request.param == "with slices":
        options += ["--high-res", slices]
    result = cli("import-reference", weights, *options)
    assert (result.status, result.err) == (0, "")
    return run


def test_imported_weights_generate_and_are_measured(cli, imported):
    assert cli("generate", imported, "--region", "0:4,0:4,0:4").status == 0
    result = cli("measure", imported / "super-res.tif", "--run", imported)
    assert (result.status, result.err) == (0, "")
    assert "low-res mismatch" in result.out


def test_the_one_checkpoint_of_imported_weights_is_listed(cli, imported):
    result = cli("checkpoints", imported)
    assert (result.status, result.err) == (0, "")
    assert "last" in result.out


def test_imported_weights_cannot_go_on_training_and_say_what_they_can(cli, imported):
    result = cli("resume", imported, "--steps", 1)
    assert result.status == 2
    assert "holds an imported generator only: it can generate, not go on training" in result.err
    assert f"napari-superres generate {imported}" in result.err


def test_whoever_takes_up_imported_weights_to_train_is_told_too(imported):
    from napari_superres.errors import RunFolderError
    from napari_superres.runs.checkpoints import load_checkpoint
    from napari_superres.runs.config import FUSION
    from napari_superres.runs.run import Run

    with pytest.raises(RunFolderError, match="imported generator only"):
        load_checkpoint(Run.open(imported, FUSION).find_checkpoint("last").folder)
