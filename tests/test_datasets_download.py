"""Downloads: mirrors in turn, checksums, and nothing half-written in the cache."""

import dataclasses
import gzip
import hashlib
import http.server
import os
import struct
import threading

import pytest
import svhn_files

from fspinn import datasets
from fspinn.base.errors import DataError
from fspinn.datasets import storage

FILES = tuple(datasets.find("mnist").checksums)


def idx(*shape):
    size = 1
    for length in shape:
        size *= length
    return gzip.compress(
        bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape) + bytes(size), mtime=0
    )


PUBLISHED = dict(zip(FILES, (idx(12, 4, 4), idx(12), idx(3, 4, 4), idx(3)), strict=True))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.delenv("FSPINN_DATA_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(storage, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "mnist"


@pytest.fixture
def serve():
    """Start mirrors: each a function from file name to (status, promised length, content)."""
    servers = []

    def start(answer):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rsplit("/", 1)[-1]
                asked.append(name)
                status, length, content = answer(name)
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def mirrors(monkeypatch):
    def use(*addresses):
        checksums = {name: hashlib.sha256(content).hexdigest() for name, content in PUBLISHED.items()}
        entry = dataclasses.replace(datasets.find("mnist"), checksums=checksums, mirrors=addresses)
        monkeypatch.setitem(datasets.catalogue, "mnist", entry)

    return use


def good(name):
    return 200, len(PUBLISHED[name]), PUBLISHED[name]


def absent(name):
    return 404, 0, b""


def corrupt(name):
    content = bytearray(PUBLISHED[name])
    content[-1] ^= 1
    return 200, len(content), bytes(content)


def broken_off(name):
    return 200, len(PUBLISHED[name]), PUBLISHED[name][:-5]


# Port 9 (discard) is never listened to by tests: the connection is refused at once.
DEAD = "http://127.0.0.1:9/"


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_the_first_use_downloads_and_later_ones_do_not(cache, serve, mirrors, capfd):
    address, asked = serve(good)
    mirrors(address)
    assert datasets.locate("mnist") is None
    data = datasets.load("mnist")
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 2, 3)
    assert content_of(cache) == PUBLISHED
    assert datasets.locate("mnist") == cache
    datasets.load("mnist")
    assert asked == list(FILES)
    assert capfd.readouterr().err == "", "quiet where standard error is no terminal"


@pytest.mark.parametrize("bad", [absent, corrupt, broken_off])
def test_a_bad_mirror_is_followed_by_the_next(cache, serve, mirrors, bad):
    first, asked = serve(bad)
    second, _ = serve(good)
    mirrors(first, second)
    assert datasets.fetch("mnist") == cache
    assert content_of(cache) == PUBLISHED
    assert asked == list(FILES[:1]), "a mirror that failed is not asked first again"


def test_a_dead_mirror_is_followed_by_the_next(cache, serve, mirrors):
    address, _ = serve(good)
    mirrors(DEAD, address)
    datasets.fetch("mnist")
    assert content_of(cache) == PUBLISHED


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (absent, "404 Client Error"),
        (corrupt, "wrong checksum"),
        (broken_off, "no connection or a broken one"),
    ],
)
def test_without_a_good_mirror_one_line_tells_and_nothing_is_left_behind(cache, serve, mirrors, bad, words):
    address, _ = serve(bad)
    mirrors(address, DEAD)
    with pytest.raises(DataError) as caught:
        datasets.load("mnist")
    message = str(caught.value)
    assert message.startswith(f"mnist: {FILES[0]} cannot be downloaded (127.0.0.1:")
    assert words in message
    assert "127.0.0.1:9: no connection" in message
    assert message.endswith(
        "check the network, or put the files into FOLDER/mnist/ and give --data-dir FOLDER"
    )
    assert "\n" not in message
    assert content_of(cache) == {}


def test_a_download_that_stops_midway_keeps_what_is_complete_and_resumes(cache, serve, mirrors):
    address, _ = serve(lambda name: good(name) if name != FILES[2] else corrupt(name))
    mirrors(address)
    with pytest.raises(DataError, match=FILES[2]):
        datasets.load("mnist")
    assert content_of(cache) == {name: PUBLISHED[name] for name in FILES[:2]}
    assert datasets.locate("mnist") is None
    address, asked = serve(good)
    mirrors(address)
    datasets.load("mnist")
    assert asked == list(FILES[2:])


def test_a_damaged_file_in_the_cache_is_replaced(cache, serve, mirrors):
    address, asked = serve(good)
    mirrors(address)
    datasets.fetch("mnist")
    (cache / FILES[1]).write_bytes(b"half")
    datasets.load("mnist")
    assert content_of(cache) == PUBLISHED
    assert asked[4:] == [FILES[1]]


def test_a_damaged_file_is_replaced_where_a_link_leads(cache, serve, mirrors, tmp_path):
    address, _ = serve(good)
    mirrors(address)
    target, link = tmp_path / "far.gz", cache / FILES[0]
    cache.mkdir(parents=True)
    target.write_bytes(b"damaged")
    link.symlink_to(target)
    assert datasets.fetch("mnist") == cache
    assert link.is_symlink()
    assert target.read_bytes() == PUBLISHED[FILES[0]]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_pipe_in_the_cache_is_told(cache, serve, mirrors):
    address, _ = serve(good)
    mirrors(address)
    cache.mkdir(parents=True)
    os.mkfifo(cache / FILES[0])
    with pytest.raises(DataError, match=r"cannot be written \(A pipe, not a regular file\)"):
        datasets.fetch("mnist")


def test_an_environment_folder_that_lacks_the_data_set_leaves_it_to_the_cache(
    cache, serve, mirrors, monkeypatch, tmp_path
):
    address, _ = serve(good)
    mirrors(address)
    monkeypatch.setenv("FSPINN_DATA_DIR", str(tmp_path / "elsewhere"))
    datasets.load("mnist")
    assert content_of(cache) == PUBLISHED
    assert not (tmp_path / "elsewhere").exists()


def test_fetching_into_a_data_dir_adds_what_is_missing_and_leaves_the_rest_alone(
    cache, serve, mirrors, tmp_path
):
    address, asked = serve(good)
    mirrors(address)
    folder = tmp_path / "mine" / "mnist"
    folder.mkdir(parents=True)
    (folder / "train-labels-idx1-ubyte").write_bytes(b"my own")
    assert datasets.fetch("mnist", tmp_path / "mine") == folder
    assert (folder / "train-labels-idx1-ubyte").read_bytes() == b"my own"
    assert asked == [FILES[0], FILES[2], FILES[3]]
    assert content_of(cache) == {}


def test_a_cache_that_cannot_be_written_is_told(cache, serve, mirrors, tmp_path):
    address, _ = serve(good)
    mirrors(address)
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(
        DataError, match=r"mnist: cannot be written \(.*\); free some space, or give another folder"
    ):
        datasets.load("mnist")


def test_an_answer_that_never_comes_is_told(cache, mirrors, monkeypatch):
    import requests

    def never(*_, **__):
        raise requests.Timeout

    monkeypatch.setattr(requests, "get", never)
    mirrors("http://127.0.0.1/")
    with pytest.raises(DataError, match=r"127.0.0.1: no answer in time"):
        datasets.fetch("mnist")


def test_svhn_is_downloaded_on_its_first_use(cache, serve, monkeypatch):
    files = svhn_files.contents()
    address, asked = serve(lambda name: (200, len(files[name]), files[name]))
    svhn_files.publish(monkeypatch, files, address)
    assert len(datasets.load("svhn").test) == 3
    assert asked == list(files)
    assert content_of(cache.parent / "svhn") == files


@pytest.mark.parametrize("name", [name for name in datasets.names() if name != "digits"])
def test_every_published_data_set_has_mirrors_and_a_sha256_per_file(name):
    entry = datasets.find(name)
    mirrors, files = (1, 2) if name == "svhn" else (2, 4)  # nobody else serves the files of SVHN
    assert len(entry.mirrors) >= mirrors
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in entry.mirrors)
    assert len(entry.checksums) == files
    assert all(len(bytes.fromhex(checksum)) == 32 for checksum in entry.checksums.values())
