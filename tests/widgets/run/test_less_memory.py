"""When there is no room for a step: the panel offers settings that need less, as a button."""

from napari.utils.notifications import notification_manager

from napari_superres.config import PRESETS, EngineSettings, Preset
from napari_superres.errors import OutOfMemoryError
from napari_superres.widgets.jobs.run_state import START_TIP, RunState, start_tip
from napari_superres.widgets.jobs.words import advice_text
from napari_superres.widgets.run.preflight import GIB, Preflight, less_that_fits, preflight_text

ENGINE = PRESETS[Preset.QUICK].replace(batch=4)


def half_the_batch(engine: EngineSettings) -> dict[str, int]:
    return {"batch": engine.batch // 2} if engine.batch > 1 else {}


def test_settings_shrink_until_they_fit():
    found = less_that_fits(ENGINE, half_the_batch, lambda engine: engine.batch * GIB, 2 * GIB)
    assert found == ({"batch": 2}, 2 * GIB)


def test_where_not_even_the_smallest_settings_fit_none_are_offered():
    changes, needed = less_that_fits(ENGINE, half_the_batch, lambda e: e.batch * GIB, GIB // 2)
    assert (changes, needed) == ({}, GIB)
    told = preflight_text(Preflight("cpu", 4 * GIB, GIB // 2, changes, needed))
    assert "Even the smallest settings need about 1.0 GiB: close other programs" in told


def test_the_real_estimate_names_settings_that_fit():
    less = type(ENGINE).less_memory
    changes, _ = less_that_fits(ENGINE, less, lambda e: e.batch * e.crop, ENGINE.crop - 1)
    assert changes["batch"] == 1
    assert changes["crop"] < ENGINE.crop


def test_the_panel_names_its_buttons_instead_of_commands():
    error = OutOfMemoryError(
        "No room.", "Less is needed.", "napari-superres resume run --set batch=1"
    )
    assert advice_text(error, {"batch": 1}).endswith(
        "press Continue with batch 1 to go on from there."
    )
    assert "press Start with crop 48" in advice_text(error, {}, {"crop": 48})
    assert "resume run" in advice_text(error)


def test_hovering_start_tells_why_it_cannot_be_pressed():
    assert start_tip(RunState.IDLE) == START_TIP
    assert start_tip(RunState.STOPPED, "grey has 200 different values.").startswith("Not yet. grey")
    assert "One at a time" in start_tip(RunState.PAUSED)


def test_an_estimate_without_room_offers_settings_that_fit(bench, engine):
    train = bench.dock.train
    engine.preflight = lambda settings: Preflight(
        "cpu", 9 * GIB, 8 * GIB, {"batch": 1} if settings.engine.batch > 1 else {}, 4 * GIB
    )
    train.engine_form.dials["batch"].value = 2
    train.find_devices()
    less = train.memory.less
    bench.qtbot.waitUntil(lambda: not less.isHidden(), timeout=20_000)
    assert less.text() == "Use batch 1"
    assert "With batch 1 it needs about 4.0 GiB" in train.memory.note.text()
    less.click()
    assert less.isHidden()
    assert train.settings().engine.batch == 1
    assert train.advanced.isExpanded()


def no_room(bench, engine, step):
    bench.dock.train.engine_form.dials["batch"].value = 4
    engine.fail_at, engine.failure = step, OutOfMemoryError("No room.", "", "Train with --set.")
    bench.dock.run_bar.start.click()
    bench.until(RunState.FAILED)


def test_out_of_memory_before_a_checkpoint_offers_to_start_with_less(bench, engine):
    no_room(bench, engine, 1)
    bar = bench.dock.run_bar
    assert bar.start.text() == "Start with batch 2"
    assert "press Start with batch 2" in bar.status.text()
    assert "--set" not in notification_manager.records[-1].message
    engine.fail_at = None
    bar.start.click()
    bench.until(RunState.COMPLETED)
    assert bench.dock.train.engine_form.dials["batch"].value == 2
    assert bar.start.text() == "Start"


def test_out_of_memory_after_a_checkpoint_offers_to_go_on_from_it_with_less(bench, engine):
    no_room(bench, engine, 3)
    bar = bench.dock.run_bar
    assert bar.middle.text() == "Continue with batch 2"
    engine.fail_at = None
    bar.middle.click()
    bench.until(RunState.COMPLETED)
    assert engine.changes == {"batch": 2}


def test_settings_changed_by_hand_take_the_offer_back(bench, engine):
    no_room(bench, engine, 1)
    bench.dock.train.engine_form.dials["batch"].value = 3
    assert bench.dock.run_bar.start.text() == "Start"


def test_start_tells_what_is_wrong_with_the_inputs(bench):
    start = bench.dock.run_bar.start
    assert start.toolTip() == f"{START_TIP} (Alt+G)"
    data = bench.dock.data
    data.pickers.high_res.choose([])
    assert "Choose the two inputs" in start.toolTip()
    grey = bench.viewer.add_image(bench.viewer.layers[0].data * 1.5, name="ct")
    data.low_res.choose(grey)
    data.pickers.high_res.choose([bench.viewer.layers[1]])
    assert not start.isEnabled()
    assert "ct holds values such as" in start.toolTip()
