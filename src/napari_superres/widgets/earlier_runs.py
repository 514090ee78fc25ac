"""Open the folder of an earlier run."""

from __future__ import annotations

from pathlib import Path

from napari.utils.notifications import show_error

from napari_superres.errors import SuperResError
from napari_superres.widgets.placement import plain_placement
from napari_superres.widgets.session import Run, Session


def read_run(folder: Path) -> Run:
    """Return the run kept in a folder.

    Raises
    ------
    RunFolderError
        It is no run, of another version, or damaged.
    """
    from napari_superres.runs.folder import RunFolder

    kept = RunFolder.open(folder)
    low_res = kept.low_res()
    return Run(
        Path(folder),
        kept.config.settings.scale_factor,
        kept.config.high_res_phases,
        low_res.phases,
        low_res.shape,
        plain_placement(low_res.voxel_size),
        learnt=bool(kept.checkpoints()),
        name=low_res.name,
    )


def open_run(session: Session, folder: str | Path) -> None:
    """Make an earlier run the session's; what is wrong is told as a notification."""
    try:
        session.set_run(read_run(Path(folder)))
    except SuperResError as error:
        show_error(str(error))
