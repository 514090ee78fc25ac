"""Discarding a run: asked about once, and no other run or result goes with it."""

import threading
import time
from dataclasses import replace

from napari_superres.widgets.run import run_bar
from napari_superres.widgets.run.history import History, PreviewBook
from tests.widgets.test_faults import running


def on_disk(folder):
    """Make what a run leaves in its folder, as far as deleting it is concerned."""
    for name in ("inputs", "checkpoints/step-0000001"):
        (folder / name).mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def test_without_a_yes_nothing_is_discarded(bench, monkeypatch):
    bench.trained()
    folder = on_disk(bench.session.fusion.run.folder)
    asked = []
    discarder = bench.dock.run_bar.discarder
    monkeypatch.setattr(discarder, "confirmed", lambda question: asked.append(question))
    bench.dock.run_bar.discard.click()
    bench.qtbot.waitUntil(lambda: bool(asked), timeout=20_000)
    bench.qtbot.wait(50)
    assert "1 checkpoint" in asked[0]
    assert folder.exists()
    assert bench.session.fusion.run is not None


def test_a_run_is_looked_through_beside_the_viewer_and_asked_about_once(bench, monkeypatch):
    bench.trained()
    on_disk(bench.session.fusion.run.folder)
    threads, asked, whole = [], [], run_bar.holdings

    def slowly(folder):
        threads.append(threading.current_thread())
        time.sleep(0.2)
        return whole(folder)

    monkeypatch.setattr(run_bar, "holdings", slowly)
    monkeypatch.setattr(bench.dock.run_bar.discarder, "confirmed", asked.append)
    bench.dock.run_bar.discard.click()
    bench.dock.run_bar.discard.click()
    assert asked == []
    bench.qtbot.waitUntil(lambda: bool(asked), timeout=20_000)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


def test_a_run_opened_meanwhile_is_not_deleted_in_place_of_the_one_asked_about(bench, monkeypatch):
    bench.trained()
    first = on_disk(bench.session.fusion.run.folder)
    other = replace(bench.session.fusion.run, folder=on_disk(first.with_name("other")))
    answered = []

    def opened_meanwhile(question):
        bench.session.fusion.show_run(other, History(), PreviewBook())
        answered.append(question)
        return True

    monkeypatch.setattr(bench.dock.run_bar.discarder, "confirmed", opened_meanwhile)
    bench.dock.run_bar.discard.click()
    bench.qtbot.waitUntil(lambda: bool(answered), timeout=20_000)
    bench.qtbot.wait(100)
    assert bench.session.fusion.run is other
    assert (first / "config.json").exists()
    assert (other.folder / "config.json").exists()


def test_discard_during_a_training_stops_it_and_deletes_the_run(bench, engine, monkeypatch):
    running(bench, engine)
    folder = on_disk(bench.session.fusion.run.folder)
    (folder / "super-res.tif").write_text("a volume")
    monkeypatch.setattr(bench.dock.run_bar.discarder, "confirmed", lambda question: True)
    bench.dock.run_bar.discard.click()
    bench.qtbot.waitUntil(lambda: bench.session.fusion.run is None, timeout=60_000)
    assert [path.name for path in folder.iterdir()] == ["super-res.tif"]
    assert "Still there: super-res.tif" in bench.dock.run_bar.status.text()
    assert not bench.dock.run_bar.discard.isEnabled()
