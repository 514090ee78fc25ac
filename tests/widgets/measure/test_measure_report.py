"""What a report of layers is made from: the inputs that the realisations were made from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Labels

from napari_superres.config import GenerationSettings, TrainingSettings
from napari_superres.data.pair import Pair
from napari_superres.widgets.layers.notes import SUPER_RES
from napari_superres.widgets.layers.placement import plain_placement
from napari_superres.widgets.layers.shown import phase_layer
from napari_superres.widgets.measure.report import report_plan
from napari_superres.widgets.run.fusion import FusionRun
from napari_superres.widgets.run.session import Session
from tests.fakes import PHASES
from tests.fusion.materials import new_run


@pytest.fixture
def session(qtbot, engine, low_res, high_res, tmp_path):
    """Return a session with a run on hand, and other inputs chosen since."""
    session = Session(engine)
    values = {"scale_factor": 4, "phase_map": {0: 0, 1: 1, 2: 0}}
    settings = TrainingSettings.model_validate(values)
    new_run(tmp_path / "run", low_res, high_res, settings)
    place = plain_placement(low_res.voxel_size)
    session.fusion.set_run(
        FusionRun(
            tmp_path / "run", settings.scale_factor, PHASES, PHASES[:2], low_res.shape, place, True
        )
    )
    other = replace(low_res, labels=1 - low_res.labels)
    session.fusion.inputs = SimpleNamespace(pair=Pair(other, high_res))
    return session


def viewer_with(run, **place):
    data, arguments, _ = phase_layer(
        np.zeros((48, 48, 48), np.uint8), PHASES, "made", SUPER_RES, **place
    )
    arguments["metadata"] = run.noted(arguments["metadata"], GenerationSettings())
    return SimpleNamespace(layers=[Labels(data, **arguments)])


def test_a_realisation_is_set_beside_the_inputs_of_its_run_whatever_is_chosen_since(
    session, low_res, high_res
):
    run = session.fusion.run
    viewer = viewer_with(run, **run.placement.super_res(run.scale_factor, (1, 0, 2)))
    plan = report_plan(viewer, session, viewer.layers, transport=False)
    np.testing.assert_array_equal(plan.low_res().labels, low_res.labels)
    np.testing.assert_array_equal(plan.high_res().sets[0][0], high_res.sets[0][0])
    assert (plan.run_folder, plan.offset) == (run.folder, (1, 0, 2))


def test_a_realisation_of_another_run_is_not_judged_by_the_settings_of_this_one(session):
    elsewhere = replace(session.fusion.run, folder=session.fusion.run.folder.with_name("another"))
    viewer = viewer_with(elsewhere)
    plan = report_plan(viewer, session, viewer.layers, transport=False)
    assert plan.run_folder is None
    assert plan.low_res() is session.fusion.inputs.pair.low_res
