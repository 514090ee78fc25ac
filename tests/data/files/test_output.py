import os
import shutil
from collections import namedtuple

import pytest

from napari_superres.data.files.output import check_writable, format_bytes, written_whole
from napari_superres.errors import OutputError


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path):
    check_writable(tmp_path / "a.tif", 1000)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"There is no folder .*nowhere"):
        check_writable(tmp_path / "nowhere" / "a.tif")


def test_a_folder_in_the_files_place_is_refused(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="no folder"):
        check_writable(tmp_path / "file" / "a.tif")


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="root and Windows may write into a read-only folder",
)
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        check_writable(tmp_path / "a.tif")
    tmp_path.chmod(0o700)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a place nobody may write to")
def test_a_place_nobody_may_write_to_is_refused():
    with pytest.raises(OutputError, match="cannot be written"):
        check_writable("/proc/self/a.tif")


def test_a_full_disk_is_said_with_numbers(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10, 10, 2 * 10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match=r"2\.0 GB left\. a\.tif needs about 7\.0 GB"):
        check_writable(tmp_path / "a.tif", 7 * 10**9)


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "a.tif"
    with written_whole(target) as temporary:
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_an_interrupted_write_leaves_nothing(tmp_path, failure):
    def interrupted():
        with written_whole(tmp_path / "a.tif") as temporary:
            temporary.write_bytes(b"half")
            raise failure

    with pytest.raises(failure):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 kB"), (4321, "4 kB"), (3.4e8, "340 MB"), (7.08e9, "7.1 GB")]
)
def test_sizes_are_told_in_the_unit_that_fits(count, text):
    assert format_bytes(count) == text
