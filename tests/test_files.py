"""Files are whole or not there."""

import os
import stat

import pytest

from fspinn.files import replaced_when_whole


def test_the_new_content_is_there_only_at_the_end(tmp_path):
    path = tmp_path / "net.h5"
    path.write_text("old")
    with replaced_when_whole(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
        assert temporary.suffix == path.suffix
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["net.h5"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError(), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "net.h5"
    path.write_text("old")

    def write_half():
        with replaced_when_whole(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["net.h5"]


@pytest.mark.parametrize("call", ["fsync", "chmod", "replace"])
def test_a_failing_disk_leaves_nothing_behind(tmp_path, monkeypatch, call):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    def write():
        with replaced_when_whole(tmp_path / "net.h5") as temporary:
            temporary.write_text("new")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        write()
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_the_rights_are_those_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with replaced_when_whole(tmp_path / "net.h5"):
            pass
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "net.h5").stat().st_mode) == 0o666 & ~mask
