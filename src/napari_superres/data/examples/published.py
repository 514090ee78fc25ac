"""Data published with Dahari et al. 2022, fetched on demand and kept in a cache.

The files lie in the authors' repository (github.com/amirDahari1/SuperRes, MIT
licence) at the commits named here. Checked is the SHA-256 of shape and phase
indices, not of the file: the sums were taken from re-encoded copies of these
files. The download itself has not been tried where this was written, because
the site could not be reached from there.

Of the paper's four cases, 2 (battery separator) and 3 (fuel-cell anode) are
whole there. The high-res slice of case 1 is not, and that of case 4 only every
fourth pixel; Zenodo record 7104555 is where the paper points to for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from napari_superres.config import ImagingModel, TrainingSettings, validated
from napari_superres.data.examples.pair import Example
from napari_superres.data.files.segmented import read_slices, read_volume
from napari_superres.data.pair import Pair
from napari_superres.data.phases import phases_from_values, with_names
from napari_superres.data.volumes import Labels, SegmentedSlices, SegmentedVolume
from napari_superres.errors import FileError, InputError, SettingsError

REPOSITORY = "https://raw.githubusercontent.com/amirDahari1/SuperRes"
TIMEOUT_S = 30


@dataclass(frozen=True)
class PublishedFile:
    """A file of the authors' repository, and the sum of the labels in it."""

    name: str
    commit: str
    sha256: str

    @property
    def url(self) -> str:
        """Where it lies; the commit makes it unchangeable."""
        return f"{REPOSITORY}/{self.commit}/data/{self.name}"


@dataclass(frozen=True)
class PublishedCase:
    """One of the paper's case studies: files, phases, and how to train on it."""

    title: str
    low_res: PublishedFile
    high_res: tuple[PublishedFile, ...]
    phase_names: tuple[str, ...]
    imaging: ImagingModel
    anisotropic: bool = False
    one_sided: tuple[int, ...] = ()


_SEPARATOR_COMMIT = "4b94bee8a22c7e251bdaf44215eceb359ce87fcd"
_ANODE_COMMIT = "b8e1a1ebcedc306ee23bc3f1fd7193a00bcf07fa"
_RODS = PublishedFile(
    "Separator_hr_input_rods.tif",
    _SEPARATOR_COMMIT,
    "b288938871248854f1ab247449b7b7cbbded27d4ab20b7093f475abd3a79b773",
)

CASES: dict[int, PublishedCase] = {
    2: PublishedCase(
        "battery separator",
        PublishedFile(
            "Separator_lr_input.tif",
            _SEPARATOR_COMMIT,
            "2fd7fbe3408553295f44cd199108f7dcb93dd7c274a4f39be842ee48da0f8afc",
        ),
        (
            _RODS,
            _RODS,
            PublishedFile(
                "Separator_hr_input_speckles.tif",
                _SEPARATOR_COMMIT,
                "48c75def968f8a8702870e98ce6f83c09ca654bc93b0691277956840d5827d9a",
            ),
        ),
        ("pore", "polymer"),
        ImagingModel.BLURRED,
        anisotropic=True,
        one_sided=(1,),
    ),
    3: PublishedCase(
        "fuel-cell anode",
        PublishedFile(
            "SOFC_lr_input.tif",
            _ANODE_COMMIT,
            "2fc4c531e89264474abec18fff233881593d878618b64b7301c4fd9fed886410",
        ),
        (
            PublishedFile(
                "SOFC_hr_input.tif",
                _ANODE_COMMIT,
                "5cbee040b0d959876b74cc2d8dd1b6ec0baeb75bc59a3a02680dff0a6e80b0a7",
            ),
        ),
        ("pore", "nickel", "ceramic"),
        ImagingModel.SAMPLED,
    ),
}
SCALE_FACTOR = 4


def fetch_published(case: int, cache: Path | None = None) -> Example:
    """Fetch a case study of the paper, or take it from the cache.

    Parameters
    ----------
    case : 2 (battery separator, anisotropic) or 3 (fuel-cell anode, sampled)
    cache : folder to keep the files in; None for the user's cache folder

    Returns
    -------
    Example
        Without a truth: the authors did not put it in their repository.

    Raises
    ------
    SettingsError
        A case that is not published in full.
    FileError
        The site cannot be reached, or the labels are not those expected.
    """
    if case not in CASES:
        raise SettingsError(
            f"Case {case} is not published in full in the authors' repository.",
            f"There are the cases {', '.join(map(str, CASES))}.",
            "For the others see Zenodo record 7104555.",
        )
    published = CASES[case]
    paths = {
        file.name: _fetch(file, cache)
        for file in dict.fromkeys((published.low_res, *published.high_res))
    }
    phases = with_names(
        phases_from_values(range(len(published.phase_names))), published.phase_names
    )
    low_res, high_res = _read(published, paths)
    _check(published.low_res, [low_res.labels], paths[published.low_res.name])
    for file, images in zip(published.high_res, high_res.sets, strict=True):
        _check(file, images, paths[file.name])
    settings = validated(
        TrainingSettings,
        {
            "scale_factor": SCALE_FACTOR,
            "phase_map": {phase.value: phase.value for phase in phases},
            "imaging": published.imaging,
            "anisotropic": published.anisotropic,
            "one_sided": published.one_sided,
        },
    )
    pair = Pair(
        replace(low_res, phases=phases, name=f"{published.title} low-res"),
        replace(high_res, phases=phases, name=f"{published.title} high-res"),
    )
    return Example(pair, None, settings)


def _fetch(file: PublishedFile, cache: Path | None) -> Path:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(
            pooch.retrieve(
                file.url,
                known_hash=None,  # the sum of the labels is checked once they are read
                fname=f"{file.commit[:8]}-{file.name}",
                path=cache or pooch.os_cache("napari-superres-fusion"),
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
            )
        )
    except (OSError, ValueError) as error:
        raise FileError(
            f"{file.name} could not be fetched from raw.githubusercontent.com.",
            "An internet connection is needed the first time.",
            "Connect and try again, or take the generated example.",
        ) from error


def _read(
    case: PublishedCase, paths: Mapping[str, Path]
) -> tuple[SegmentedVolume, SegmentedSlices]:
    """Read both; a file that is not the published one is deleted, so that it is fetched again."""
    try:
        low_res = read_volume(paths[case.low_res.name])
        return low_res, read_slices([paths[file.name] for file in case.high_res], case.anisotropic)
    except InputError:  # a page that says "log in first", say
        for path in paths.values():
            path.unlink(missing_ok=True)
        raise


def labels_sha256(images: Iterable[Labels]) -> str:
    """Return the SHA-256 of shapes and phase indices."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(repr(image.shape).encode())
        digest.update(image.tobytes())
    return digest.hexdigest()


def _check(file: PublishedFile, images: Iterable[Labels], path: Path) -> None:
    if labels_sha256(images) != file.sha256:
        path.unlink(missing_ok=True)
        raise FileError(
            f"{file.name} does not hold the labels that were published.",
            "",
            "Try again; if it stays so, the authors changed the file.",
        )
