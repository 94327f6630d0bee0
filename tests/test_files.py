"""Files are whole or not there, links stay, and what is not a regular file is left alone."""

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from fspinn import plots
from fspinn.base import hdf5 as sealed
from fspinn.base.errors import ConfigError, FspinnError
from fspinn.base.files import (
    check_file,
    check_folder,
    check_new_folder,
    folder_when_whole,
    replaced_when_whole,
)


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


@pytest.mark.parametrize(("write", "call"), [(replaced_when_whole, "touch"), (folder_when_whole, "mkdir")])
def test_ctrl_c_right_after_the_temporary_one_is_there_leaves_nothing(tmp_path, monkeypatch, write, call):
    original = getattr(Path, call)

    def make_and_stop(*arguments, **options):
        original(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, call, make_and_stop)
    with pytest.raises(KeyboardInterrupt), write(tmp_path / "net.h5"):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
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


# --- links, devices, pipes -------------------------------------------------------------------------------


def write(path, text="new"):
    with replaced_when_whole(path) as temporary:
        temporary.write_text(text)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path, there):
    (tmp_path / "far").mkdir()
    target, link, second = tmp_path / "far" / "target.h5", tmp_path / "link.h5", tmp_path / "second.h5"
    if there:
        target.write_text("old")
    link.symlink_to("far/target.h5")
    second.symlink_to(link)
    check_file(second)
    write(second)
    assert (link.is_symlink(), second.is_symlink(), target.is_symlink()) == (True, True, False)
    assert target.read_text() == link.read_text() == second.read_text() == "new"
    assert os.listdir(tmp_path / "far") == ["target.h5"]


@pytest.fixture(params=["pipe", "device", "socket", "link to a device"])
def special(tmp_path, request):
    path = tmp_path / "special.h5"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path = Path(os.devnull)
    elif request.param == "link to a device":
        path.symlink_to(os.devnull)
    with socket.socket(socket.AF_UNIX) as bound:
        if request.param == "socket":
            bound.bind(str(path))
        yield path


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of these")
def test_what_is_not_a_regular_file_is_refused_and_stays(special):
    before = os.stat(special)
    with pytest.raises(OSError, match=r"A (device|pipe|socket), not a regular file"):
        write(special)
    with pytest.raises(
        ConfigError, match=r": cannot be written \(A .*, not a regular file\); name another f"
    ):
        check_file(special)
    with pytest.raises(ConfigError, match=r": cannot be written \(.*\); choose another folder$"):
        check_folder(special)
    with pytest.raises(ConfigError, match=r"\(A .*, not a folder\); choose another folder"):
        check_new_folder(special)
    after = os.stat(special)
    assert (before.st_ino, before.st_mode, before.st_rdev) == (after.st_ino, after.st_mode, after.st_rdev)


@pytest.mark.parametrize(
    "writer",
    [
        lambda path: sealed.write(path, "model", {}, {}, compressed=True),
        lambda path: plots.save(Figure(), path),
    ],
)
def test_every_writer_follows_links_and_refuses_pipes(tmp_path, writer):
    target, link, pipe = tmp_path / "target.png", tmp_path / "link.png", tmp_path / "pipe.png"
    link.symlink_to(target)
    writer(link)
    assert link.is_symlink()
    assert target.stat().st_size > 0
    os.mkfifo(pipe)
    with pytest.raises(FspinnError, match=r"pipe\.png: cannot be written \(A pipe, not a regular file\)"):
        writer(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_goes_where_a_link_leads(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "missing"):
        link = tmp_path / f"to-{name}"
        link.symlink_to(name)
        check_new_folder(link)
        with folder_when_whole(link) as made:
            (made / "a").write_text("a")
        assert link.is_symlink()
        assert (tmp_path / name / "a").read_text() == "a"
        with pytest.raises(ConfigError, match="is there already"), folder_when_whole(link):
            pass


# --- what can be told before the work ----------------------------------------------------------------------


def test_a_file_that_could_not_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name, words in (
        ("missing/net.h5", "there is no folder .*missing; make it first"),
        ("", r"cannot be written \(Is a directory\); name another file"),
        ("file/net.h5", r"cannot be written \(Not a directory\); name another file"),
        ("loop", r"cannot be written \(Too many levels of symbolic links\)"),
        ("x" * 300, r"cannot be written \(File name too long\)"),
    ):
        with pytest.raises(ConfigError, match=words):
            check_file(tmp_path / name)
    check_file(tmp_path / "net.h5")
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]


@pytest.mark.parametrize("check", [check_file, check_folder, check_new_folder])
def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch, check):
    def fail(**arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(ConfigError, match=r"cannot be written \(No space left on device\)"):
        check(tmp_path / "new")


def test_a_file_that_is_write_protected_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "net.h5"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(
        ConfigError, match=r"net\.h5: cannot be written \(Write-protected\); name another file"
    ):
        check_file(path)


def test_a_folder_may_be_made_but_not_those_above_it(tmp_path):
    check_folder(tmp_path)
    check_folder(tmp_path / "a")
    for check in (check_folder, check_new_folder, check_file):
        with pytest.raises(ConfigError, match=r"b: there is no folder .*a; make it first"):
            check(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "a"):
        with pytest.raises(
            ConfigError, match=r"cannot be written \(Not a directory\); choose another folder"
        ):
            check_folder(path)
    assert os.listdir(tmp_path) == ["file"]
