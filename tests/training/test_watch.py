from __future__ import annotations

import json

import pytest

from napari_superres.events import Measurement
from napari_superres.training.watch import EXPLODED, Watch

TARGET = Measurement({"pore": 0.5, "solid": 0.45, "binder": 0.05}, {})
ALL = {"pore": 0.5, "solid": 0.4, "binder": 0.1}
NO_BINDER = {"pore": 0.5, "solid": 0.5, "binder": 0.0}
LATE = 10_000


def look(watch: Watch, found: dict[str, float], updates: int = LATE, **terms: float) -> str | None:
    return watch.look(found, terms or {"generator": 1.0}, updates, True)


def test_a_phase_missing_twice_has_vanished() -> None:
    watch = Watch(TARGET, 1e-3)
    assert look(watch, ALL) is None
    assert watch.good
    assert look(watch, NO_BINDER) is None
    assert not watch.good
    assert look(watch, NO_BINDER) == "binder has vanished"


def test_a_phase_missing_once_is_chance() -> None:
    watch = Watch(TARGET, 1e-3)
    assert [look(watch, found) for found in (ALL, NO_BINDER, ALL, NO_BINDER)] == [None] * 4


def test_a_single_phase_everywhere_is_named() -> None:
    watch = Watch(TARGET, 1e-3)
    only = {"pore": 1.0, "solid": 0.0, "binder": 0.0}
    assert look(watch, only) is None
    assert look(watch, only) == "everything has become pore"


def test_the_random_start_is_no_collapse_but_it_must_end() -> None:
    watch = Watch(TARGET, 1e-3)
    early = [look(watch, NO_BINDER, updates) for updates in (50, 100, 200, 300, 450)]
    assert early == [None] * 5
    assert [look(watch, NO_BINDER, updates) for updates in (500, 550)][1] is not None


def test_a_start_that_shows_one_phase_alone_ends_sooner() -> None:
    watch = Watch(TARGET, 1e-3)
    only = {"pore": 0.985, "solid": 0.007, "binder": 0.002}  # single voxels given back
    assert [look(watch, only, updates) for updates in (50, 100, 149)] == [None] * 3
    assert look(watch, only, 150) is None
    assert look(watch, only, 200) == "everything has become pore"


def test_a_rare_phase_may_come_late_even_to_one_other() -> None:
    watch = Watch(Measurement({"pore": 0.9, "speck": 0.1}, {}), 1e-3)
    assert [look(watch, {"pore": 1.0, "speck": 0.0}, n) for n in (150, 200, 450)] == [None] * 3


def test_a_lower_learning_rate_gets_more_time() -> None:
    watch = Watch(TARGET, 1e-4)
    assert [look(watch, NO_BINDER, updates) for updates in (1000, 2000, 4900)] == [None] * 3


def test_no_number_counts_at_once_and_an_explosion_twice() -> None:
    watch = Watch(TARGET, 1e-3)
    assert look(watch, ALL, generator=float("nan")) == "a loss is not a number"
    assert watch.look(TARGET.volume_fractions, {}, LATE, False) == "a loss is not a number"
    assert look(watch, ALL, generator=-2 * EXPLODED) is None
    assert look(watch, ALL, generator=-2 * EXPLODED) == (
        "the loss generator has exploded to -2.0e+04"
    )


def test_a_phase_too_rare_to_be_sure_of_may_be_missing() -> None:
    watch = Watch(Measurement({"pore": 0.999, "speck": 0.001}, {}), 1e-3)
    assert [look(watch, {"pore": 1.0, "speck": 0.0}) for _ in range(3)] == [None] * 3


def test_a_watch_goes_on_from_what_it_had_seen() -> None:
    first, second = Watch(TARGET, 1e-3), Watch(TARGET, 1e-3)
    look(first, ALL)
    look(first, NO_BINDER)
    second.load(json.loads(json.dumps(first.state())))
    assert look(second, NO_BINDER) is not None


def test_each_roll_back_halves_the_learning_rate() -> None:
    watch = Watch(TARGET, 1e-3)
    for _ in range(2):
        watch.roll_back({})
    assert watch.rollbacks == 2
    assert watch.learning_rate == pytest.approx(2.5e-4)
