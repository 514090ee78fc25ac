"""Open the folder of an earlier run, with its whole history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari.utils.notifications import show_error

from napari_superres.widgets.jobs.words import second_run_text
from napari_superres.widgets.layers.placement import plain_placement
from napari_superres.widgets.run.history import History, PreviewBook, bands_or_none, history_of_log
from napari_superres.widgets.run.results import Run
from napari_superres.widgets.run.session import Session


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """A run as it lies on disk: what it learnt, and how."""

    run: Run
    history: History
    previews: PreviewBook


def read_run(folder: Path) -> EarlierRun:
    """Return the run kept in a folder. Imports torch: call it in a thread.

    Raises
    ------
    RunFolderError
        It is no run, of another version, or damaged.
    """
    from napari_superres.fusion.evaluation import measure_slices
    from napari_superres.runs.config import FUSION, HIGH_RES
    from napari_superres.runs.previews import read_previews
    from napari_superres.runs.run import Run as StoredRun

    kept = StoredRun.open(folder, FUSION)
    low_res = kept.low_res()
    run = Run(
        Path(folder),
        kept.settings.scale_factor,
        kept.kept(HIGH_RES).phases,
        low_res.phases,
        low_res.shape,
        plain_placement(low_res.voxel_size),
        learnt=bool(kept.checkpoints()),
        name=low_res.name,
    )
    history = history_of_log(kept.log(), None)
    if kept.has_slices:  # a generator may be imported without
        high_res = kept.high_res()
        history.target, history.bands = measure_slices(high_res), bands_or_none(high_res)
    return EarlierRun(run, history, PreviewBook(read_previews(Path(folder))))


def open_run(session: Session, folder: str | Path) -> None:
    """Make an earlier run the session's; what is wrong is told as a notification.

    It is read in a thread; of several asked for meanwhile, the last is shown. While a
    training goes on it is refused.
    """
    if session.training.active:
        show_error(second_run_text(session.run.folder if session.run is not None else None))
        return
    session.opening.ask(read_run, Path(folder))
