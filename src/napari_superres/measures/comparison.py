"""Differences between two summaries, and all the numbers of a super-res volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_superres.data.volumes import Segmented
from napari_superres.errors import PhaseError
from napari_superres.measures.catalogue import SCALARS
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.summary import Summary, measure_item, sized_as

FORMAT_VERSION = 1

ERRORS = {
    "volume_fractions": "volume_fraction_error",
    "interface_areas": "interface_area_error",
}
"""Names of errors that are not the measure's own with "_error" behind."""


def error_name(measure: str) -> str:
    """Return the name under which `compare_summaries` gives the error of a measure."""
    return ERRORS.get(measure, f"{measure}_error")


def compare_summaries(found: Summary, wanted: Summary) -> dict[str, Any]:
    """Compare a summary with a reference; phases with the same label value are the same.

    Parameters
    ----------
    found, wanted : from `measure_labels`, `measure_volume` or `measure_slices`

    Returns
    -------
    dict
        For each scalar measure that both have, in one unit, its entries, each with ``difference``
        (found − wanted) and ``relative`` (difference / wanted, None where nothing is
        wanted); and its error: ``volume_fraction_error``, ``percolating_fraction_error``
        and ``transport_efficiency_error`` are the mean |difference|,
        ``interface_area_error``, ``triple_phase_boundary_error`` and so on the mean
        |relative| over the entries (phases, pairs, axes) that `wanted` has. A mean
        over nothing is None. ``two_point_rmse``: root mean square difference of the
        intra-phase correlations at equal distances, in voxels unless both know theirs in µm.

    Raises
    ------
    PhaseError
        The two have no phase in common.
    """
    names = common_names(found, wanted)
    result: dict[str, Any] = {}
    for measure, about in SCALARS.items():
        if measure not in found or measure not in wanted:
            continue
        if about.per_axis and found["axes"] != wanted["axes"]:
            continue  # a volume's axes are not a slice's
        if not same_unit(found, wanted, measure):
            continue
        entries = _entries(found[measure], wanted[measure], names)
        kind = "difference" if about.absolute else "relative"
        gaps = [gap[kind] for gap in _gaps(entries)]
        known = [abs(gap) for gap in gaps if gap is not None]
        result[error_name(measure)] = sum(known) / len(known) if known else None
        result[measure] = entries
    if "two_point" in found and "two_point" in wanted:
        result["two_point_rmse"] = _two_point_rmse(found, wanted, names)
    return result


def same_unit(found: Summary, wanted: Summary, measure: str) -> bool:
    """Whether both are in µm, or in voxels."""
    units = [summary.get("units", {}).get(measure, "") for summary in (found, wanted)]
    return bool(units[0] == units[1])


def common_names(found: Summary, wanted: Summary) -> dict[str, str]:
    """Return the name in `wanted` of each phase of `found`; PhaseError without a common one."""
    theirs = {phase["value"]: phase["name"] for phase in wanted["phases"]}
    names = {
        phase["name"]: theirs[phase["value"]]
        for phase in found["phases"]
        if phase["value"] in theirs
    }
    if not names:
        raise PhaseError(
            f"{found['name']} and {wanted['name']} have no label value in common.",
            "Phases are compared by label value.",
            "Renumber the labels of one of them.",
        )
    return names


def renamed(entry: str, names: Mapping[str, str]) -> str:
    """Return an entry by the names of the other summary, see `common_names`."""
    return "|".join(names.get(name, "") for name in entry.split("|"))


def _entries(
    found: Mapping[str, Any], wanted: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the gaps of each entry, by axis where there are axes."""
    entries: dict[str, Any] = {}
    for entry, value in found.items():
        expected = wanted.get(renamed(entry, names))
        if isinstance(value, Mapping) and isinstance(expected, Mapping):
            entries[entry] = {
                axis: _gap(value[axis], expected[axis]) for axis in value if axis in expected
            }
        elif not isinstance(value, Mapping) and expected is not None:
            entries[entry] = _gap(value, expected)
    return entries


def _gap(value: float | None, expected: float | None) -> dict[str, float | None]:
    if value is None or expected is None:
        return {"difference": None, "relative": None}
    relative = (value - expected) / expected if expected else None
    return {"difference": value - expected, "relative": relative}


def _gaps(entries: Mapping[str, Any]) -> Iterator[Mapping[str, float | None]]:
    for entry in entries.values():
        yield from [entry] if "difference" in entry else entry.values()


def _two_point_rmse(found: Summary, wanted: Summary, names: Mapping[str, str]) -> float | None:
    """Compare the means over the axes at the distances of the reference's first axis."""
    sized = [summary.get("voxel_size_um") is not None for summary in (found, wanted)]
    steps = next(iter(wanted["two_point"]["distance"].values()))
    at = np.asarray(steps if all(sized) else range(len(steps)), float)
    squares = []
    for name, other in names.items():
        pair = [
            _mean_curve(summary["two_point"], key, at, in_voxels=not all(sized))
            for summary, key in ((found, name), (wanted, other))
        ]
        squares.append((pair[0] - pair[1]) ** 2)
    known = np.array(squares)[np.isfinite(squares)]
    return float(np.sqrt(known.mean())) if known.size else None


def _mean_curve(
    two_point: Mapping[str, Any], name: str, at: NDArray[np.float64], in_voxels: bool
) -> NDArray[np.float64]:
    """Return the mean over the axes of a phase's correlation, NaN beyond what any axis knows."""
    curves = []
    for axis, values in two_point["intra"][name].items():
        curve = np.array(values, float)
        steps = np.arange(curve.size) if in_voxels else two_point["distance"][axis]
        curves.append(np.interp(at, steps, curve, right=np.nan))
    return np.asarray(np.mean(curves, axis=0))


def differences_of(items: Mapping[str, Summary]) -> dict[str, Any]:
    """Compare the super-res item with those of the slices and the truth, where there are any."""
    return {
        f"super_res_{name}": compare_summaries(items["super_res"], items[name])
        for name in ("high_res", "truth")
        if name in items
    }


def compare_volumes(inputs: ReportInputs) -> dict[str, Any]:
    """Measure a super-res volume quickly against what there is, as a JSON-able dictionary.

    Returns
    -------
    dict
        ``format_version``, ``items`` (summaries: low_res, high_res, super_res,
        truth), ``low_res_mismatch`` (with `settings`) and ``differences``
        (super_res_high_res, super_res_truth), see `compare_summaries`.
    """
    high_res, super_res = inputs.high_res, inputs.super_res[0]
    parts: dict[str, Segmented | None] = {
        "low_res": inputs.low_res,
        "high_res": high_res and sized_as(high_res, super_res),
        "super_res": super_res,
        "truth": inputs.truth,
    }
    items = {name: measure_item(item) for name, item in parts.items() if item is not None}
    numbers: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "items": items,
        "differences": differences_of(items),
    }
    if (mismatch := inputs.low_res_mismatch()) is not None:
        numbers["low_res_mismatch"] = mismatch
    return numbers
