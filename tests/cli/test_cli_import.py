from __future__ import annotations

import pytest

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


def test_imported_weights_generate_by_the_next_command(cli, pair, tmp_path):
    from napari_superres.config import PRESETS, Preset
    from napari_superres.fusion.generator import build_generator
    from napari_superres.fusion.reference import _names
    from napari_superres.scale_factor import parse_scale_factor

    engine = PRESETS[Preset.PAPER].replace(residual_blocks=1)
    generator = build_generator(engine, parse_scale_factor(2), 2, 2)
    weights = generator.state_dict()
    torch.save({name: weights[key] for key, name in _names(generator)}, tmp_path / "g.pt")
    run = tmp_path / "run"
    options = ("--low-res", pair.low_res, "--scale-factor", 2, "--run", run)
    result = cli("import-reference", tmp_path / "g.pt", *options)
    assert (result.status, result.err) == (0, "")
    assert cli("generate", run, "--region", "0:4,0:4,0:4").status == 0
    assert (run / "super-res.tif").is_file()
