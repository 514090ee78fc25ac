from fractions import Fraction

import pytest
from pydantic import BaseModel, ValidationError

from napari_superres.config import (
    PRESETS,
    Budget,
    EngineSettings,
    GenerationSettings,
    ImagingModel,
    Preset,
    TrainingSettings,
    describe,
    from_text,
    to_text,
    validated,
)
from napari_superres.errors import SettingsError
from napari_superres.translation.settings import TranslationSettings

MODELS = [EngineSettings, TrainingSettings, Budget, GenerationSettings]
MINIMAL = {"scale_factor": 4, "phase_map": {0: 0, 1: 1}}


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_has_a_description(model: type[BaseModel]):
    assert all(describe(model, name).endswith(".") for name in model.model_fields)


def test_settings_cannot_be_changed_in_place():
    settings = validated(TrainingSettings, MINIMAL)
    with pytest.raises(ValidationError, match="frozen"):
        settings.seed = 1


def test_replacing_validates_again():
    settings = validated(TrainingSettings, MINIMAL)
    assert settings.replace(seed=7).seed == 7
    with pytest.raises(SettingsError, match="seed is -1"):
        settings.replace(seed=-1)


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_setting_is_refused_by_name(model: type[BaseModel]):
    with pytest.raises(SettingsError, match="colour"):
        validated(model, {"colour": "red"} | (MINIMAL if model is TrainingSettings else {}))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "inf"])
def test_what_a_run_could_not_write_down_is_refused(value):
    with pytest.raises(SettingsError, match=r"preview_seconds is .*finite number"):
        validated(EngineSettings, {"preview_seconds": value})


@pytest.mark.parametrize("widths", [(), (8, 0), (-4,)])
def test_a_discriminator_has_layers_and_these_have_a_width(widths):
    with pytest.raises(SettingsError, match="discriminator_channels"):
        validated(EngineSettings, {"discriminator_channels": widths})


@pytest.mark.parametrize("preset", list(Preset))
def test_the_preset_sets_the_engine(preset):
    assert validated(TrainingSettings, MINIMAL | {"preset": preset}).engine == PRESETS[preset]


def test_an_engine_given_wins_over_the_preset():
    engine = PRESETS[Preset.QUICK].replace(crop=32)
    settings = validated(TrainingSettings, MINIMAL | {"preset": "paper", "engine": engine})
    assert settings.engine.crop == 32


def test_settings_survive_json():
    values = MINIMAL | {"scale_factor": "8/5,2,2", "imaging": "sampled", "one_sided": (1,)}
    settings = validated(TrainingSettings, values)
    again = TrainingSettings.model_validate_json(settings.model_dump_json())
    assert again == settings
    assert again.scale_factor[0] == Fraction(8, 5)
    assert again.imaging is ImagingModel.SAMPLED


def test_the_paper_preset_has_the_papers_numbers():
    paper = PRESETS[Preset.PAPER]
    assert (paper.learning_rate, paper.beta_1, paper.beta_2) == (1e-4, 0.5, 0.999)
    assert (paper.gradient_penalty, paper.critic_steps, paper.batch) == (10, 5, 8)
    assert (paper.voxel_weight, paper.voxel_threshold, paper.voxel_loss) == (10, 0.005, "mse")
    assert (paper.crop, paper.crop_margin, paper.slices_per_axis) == (64, 4, None)


def test_settings_that_do_not_fit_together_are_reported_without_the_others():
    with pytest.raises(SettingsError) as caught:
        validated(TranslationSettings, {"scale_factor": 3})
    assert str(caught.value) == (
        "The settings do not fit together. scale_factor: one of 1, 2, 4, 8, 16 is needed."
    )


FULL = TrainingSettings.model_validate(
    MINIMAL | {"scale_factor": "8/5,2,2", "one_sided": (1,), "blur_sd": 2.5, "warm_start": "12"}
)
REGION = GenerationSettings(region=((0, 1), (2, 3), (4, 5)), periodic_axes=(0, 2), tile=8)


@pytest.mark.parametrize("settings", [FULL, REGION, Budget(minutes=2, steps=None)])
def test_a_setting_survives_as_text(settings: BaseModel):
    model = type(settings)
    values = {name: value for name, value in settings if name != "engine"}
    texts = {name: to_text(model, name, value) for name, value in values.items()}
    assert {name: from_text(model, name, text) for name, text in texts.items()} == values


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("clip_norm", "", None),
        ("clip_norm", "null", None),
        ("discriminator_channels", " 8, 16", (8, 16)),
        ("discriminator_channels", "[8,16]", (8, 16)),
        ("discriminator_channels", "8", (8,)),
        ("noise", '"off"', "off"),
        ("context", "false", False),
    ],
)
def test_a_text_is_read_by_the_type_of_its_setting(name, text, value):
    assert from_text(EngineSettings, name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("crop", "3", "crop is 3. Input should be greater than or equal to 16."),
        ("learning_rate", "fast", "learning_rate is 'fast'. Input should be a valid number"),
        ("learning_rate", "inf", "finite number"),
        ("discriminator_channels", "8,0", "discriminator_channels.1 is 0"),
        ("discriminator_channels", "", "discriminator_channels is ()"),
    ],
)
def test_a_text_that_is_no_value_is_reported_by_name(name, text, found):
    with pytest.raises(SettingsError) as caught:
        from_text(EngineSettings, name, text)
    assert found in str(caught.value)
