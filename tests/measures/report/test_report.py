import json
import re
import shutil
import subprocess
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread

from napari_superres.data.examples.pair import example_pair
from napari_superres.data.phases import Phase
from napari_superres.data.volumes import SegmentedSlices, SegmentedVolume
from napari_superres.errors import OutputError, SettingsError
from napari_superres.events import Done
from napari_superres.measures.inputs import ReportInputs
from napari_superres.measures.report.numbers import (
    ReportOptions,
    measure_report,
)
from napari_superres.measures.report.panels import Panel, _on_grid
from napari_superres.measures.report.writing import write_report
from napari_superres.measures.summary import measure_volume

QUICK = ReportOptions(side=16, count=4, threads=1)


@pytest.fixture(scope="module")
def inputs():
    example = example_pair(size=48, slices=2, slice_size=96)
    truth = example.truth
    other = replace(truth, labels=truth.labels[::-1].copy(), name="second <realisation>")
    return ReportInputs(
        (replace(truth, name="super-res"), other),
        example.pair.low_res,
        example.pair.high_res,
        truth,
        example.settings,
    )


@pytest.fixture(scope="module")
def numbers(inputs):
    return measured(inputs)


@pytest.fixture(scope="module")
def written(inputs, numbers, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, inputs, numbers, figures=True)
    return path


def measured(inputs, options=QUICK):
    *_, last = measure_report(inputs, options)
    assert isinstance(last, Done)
    return last.result


def test_progress_rises_from_start_to_end(inputs):
    *progress, _ = measure_report(inputs, QUICK)
    shares = [event.share for event in progress]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)


def test_the_numbers_are_those_that_measuring_gives(inputs, numbers):
    alone = measure_volume(inputs.super_res[0], QUICK.measures)
    assert numbers["items"]["super_res"] == alone
    assert len(numbers["realisations"]) == 1
    assert numbers["differences"]["super_res_truth"]["volume_fraction_error"] == 0
    assert numbers["low_res_mismatch"] == 0


def test_slices_of_unknown_pixel_size_are_measured_on_the_grid_of_the_super_res(inputs, numbers):
    slices = replace(inputs.high_res, voxel_size=None)
    unsized = measured(replace(inputs, high_res=slices))
    wanted = numbers["items"]["high_res"]["specific_surface_area"]
    assert unsized["items"]["high_res"]["specific_surface_area"] == wanted


def test_the_numbers_lie_beside_the_report(written, numbers):
    assert json.loads(written.with_suffix(".json").read_text(encoding="utf-8")) == numbers


def test_the_report_asks_for_nothing_from_outside(written):
    page = written.read_text(encoding="utf-8")
    sources = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)""", page)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "<script" not in page
    assert "@import" not in page


def test_the_report_shows_every_item_and_measure(written):
    page = written.read_text(encoding="utf-8")
    texts = ["low-res", "high-res slice", "super-res", "truth", "triple phase boundary"]
    texts += ["Representativity", "Fourier", "Chord lengths", "0.1.0", "scale factor"]
    assert [text for text in texts if text not in page] == []
    assert "second &lt;realisation&gt;" in page
    assert not re.search(r">\s*-?(nan|inf|None)\b", page)


def test_charts_take_the_colour_of_the_page_and_are_kept_as_files(written):
    assert "currentColor" in written.read_text(encoding="utf-8")
    folder = written.with_name("report-figures")
    names = {file.name for file in folder.iterdir()}
    assert {"violins.png", "violins.svg", "intra.svg", "chords.png"} <= names
    assert ElementTree.parse(folder / "violins.svg").getroot().tag.endswith("svg")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LOOKS = {
    "light": ("--blink-settings=preferredColorScheme=1", "--screenshot={}"),
    "dark": ("--blink-settings=preferredColorScheme=0", "--screenshot={}"),
    "paper": ("--print-to-pdf={}",),
}


def opened(page, folder, *options):
    """Open a page in Chromium; return what it told, and the addresses that the page asked for."""
    log = folder / "net.json"
    ended = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={folder}", "--window-size=1280,2000", f"--log-net-log={log}", *options,
         page.as_uri()],
        capture_output=True, text=True, timeout=240, check=True,
    )  # fmt: skip
    told = json.loads(log.read_text())
    (start,) = (told["constants"]["logEventTypes"][name] for name in ["URL_REQUEST_START_JOB"])
    asked = [event["params"] for event in told["events"] if event["type"] == start]
    # what the browser itself asks for has no origin
    own = [job for job in asked if job.get("initiator", "not an origin") != "not an origin"]
    return ended.stderr, [job["url"] for job in own if job["url"].startswith("http")]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("look", LOOKS)
def test_chromium_opens_the_report_without_complaint_or_request(written, tmp_path, look):
    shown = tmp_path / ("shown.pdf" if look == "paper" else "shown.png")
    options = [option.format(shown) for option in LOOKS[look]]
    told, asked = opened(written, tmp_path, *options)
    assert "CONSOLE" not in told
    assert asked == []
    assert shown.stat().st_size > 20_000
    if look != "paper":
        corner = imread(shown)[5, 5, :3].mean()
        assert corner > 0.9 if look == "light" else corner < 0.2


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_requests_and_complaints_of_a_page_would_be_noticed(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<img src='http://localhost:9/x.png'><script>console.error('no')</script>")
    told, asked = opened(page, tmp_path, f"--screenshot={tmp_path / 'shown.png'}")
    assert "CONSOLE" in told
    assert asked == ["http://localhost:9/x.png"]


def test_a_volume_alone_has_a_report(inputs, tmp_path):
    alone = ReportInputs((inputs.super_res[0],))
    write_report(tmp_path / "alone.html", alone, measured(alone))
    assert "Sub-volumes" in (tmp_path / "alone.html").read_text(encoding="utf-8")


def test_two_phases_without_voxel_size_and_three_sets_of_slices_have_a_report(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, (20, 18, 16), np.uint8)
    fine = SegmentedVolume.from_labels(volume)
    slices = SegmentedSlices.from_labels([[volume[0]], [volume[:, 0]], [volume[:, :, 0]]])
    inputs = ReportInputs((fine,), SegmentedVolume.from_labels(volume[::2, ::2, ::2]), slices, fine)
    write_report(tmp_path / "report.html", inputs, measured(inputs))
    assert "Δ truth" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_one_phase_alone_has_a_report(tmp_path):
    inputs = ReportInputs((SegmentedVolume.from_labels(np.zeros((8, 8, 8), np.uint8)),))
    write_report(tmp_path / "report.html", inputs, measured(inputs))
    assert (tmp_path / "report.html").exists()


def test_a_truth_without_names_or_size_is_that_of_the_super_res():
    volume = np.random.default_rng(0).integers(0, 2, (20, 18, 16), np.uint8)
    named = SegmentedVolume.from_labels(volume, (0.1,) * 3, (Phase(0, "pore"), Phase(1, "solid")))
    bare = ReportInputs((named,), truth=SegmentedVolume.from_labels(volume))
    numbers = measured(bare)
    items = numbers["items"]
    assert items["truth"] == items["super_res"]
    assert numbers["sub_volumes"]["truth"].keys() == numbers["sub_volumes"]["super_res"].keys()
    assert numbers["differences"]["super_res_truth"]["specific_surface_area_error"] == 0


def test_realisations_of_which_one_lacks_a_phase_are_pooled_by_label_value():
    volume = np.random.default_rng(0).integers(0, 3, (16, 16, 16), np.uint8)
    lacking = np.where(volume == 1, 2, volume).astype(np.uint8)
    two = tuple(SegmentedVolume.from_labels(labels) for labels in (volume, lacking))
    options = ReportOptions(side=16, count=20, threads=1)
    found = measured(ReportInputs(two), options)["sub_volumes"]["super_res"]["volume_fractions"]
    assert set(found["phase 1"]["values"]) == {np.mean(volume == 1), 0.0}


def test_a_truth_of_one_phase_has_a_report_though_it_has_no_chords(tmp_path):
    volume = np.random.default_rng(0).integers(0, 2, (20, 18, 16), np.uint8)
    fine, flat = (SegmentedVolume.from_labels(labels) for labels in (volume, 0 * volume))
    inputs = ReportInputs((fine,), truth=flat)
    write_report(tmp_path / "report.html", inputs, measured(inputs))
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("size", [513, 1537])
def test_planes_larger_than_shown_are_filled_to_their_edges(size):
    panel = Panel(np.zeros((size, 3), np.uint8), (Phase(0),), (1.0, 1.0), (0.0, 0.0), "plane")
    assert (_on_grid(panel, (size, 3), (1.0, 1.0))[..., 3] == 1).all()


def test_transport_is_in_the_report_when_asked_for(inputs, tmp_path):
    alone = ReportInputs((replace(inputs.truth, labels=inputs.truth.labels[:16, :16, :16]),))
    found = measured(alone, replace(QUICK, side=8, transport=True))
    assert "transport_efficiency" in found["items"]["super_res"]
    assert "transport_efficiency" in found["sub_volumes"]["super_res"]


def test_nothing_to_report_is_refused():
    with pytest.raises(SettingsError, match="super-res"):
        measured(ReportInputs(()))


def test_a_folder_that_cannot_be_written_is_told_in_one_line(inputs, numbers, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        write_report(tmp_path / "file" / "report.html", inputs, numbers)
