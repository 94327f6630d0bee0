"""Recordings that tonic reads: those of a real format, of others that are like it, and refused ones."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from own_data import refusal
from published_images import user_file

from fspinn import datasets
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.datasets.origin import load_again, origin

COUNTS = {"train": 60, "test": 20}


def test_without_tonic_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tonic", None)
    message = refusal("tonic:NMNIST", ConfigError)
    assert message.startswith("tonic:NMNIST: the package tonic cannot be imported (")
    assert message.endswith("; pip install 'fspinn[events]'")


def test_nothing_else_imports_tonic():
    code = "import sys, fspinn, fspinn.cli; fspinn.datasets.load('digits'); assert 'tonic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


class TestTonic:
    @pytest.fixture(autouse=True)
    def installed(self):
        pytest.importorskip("tonic")

    @pytest.fixture
    def nmnist(self, tmp_path, monkeypatch):
        """Files in the format of N-MNIST, and the arrays that they were made of."""
        from tonic.datasets import NMNIST

        with np.load(user_file("nmnist/nmnist_small.npz")) as file:
            arrays = {name: file[name] for name in file.files}
        for part, count in COUNTS.items():
            x, y, p, t, offsets = (arrays[f"{part}_{name}"] for name in ("x", "y", "p", "t", "offsets"))
            high, t = (p.astype(np.int64) << 7) | (t >> 16), t.astype(np.int64)
            rows = np.stack([x, y, high, (t >> 8) & 255, t & 255], axis=1).astype(np.uint8)
            for number in range(count):
                folder = tmp_path / "NMNIST" / part.title() / str(arrays[f"{part}_labels"][number])
                folder.mkdir(parents=True, exist_ok=True)
                one = rows[offsets[number] : offsets[number + 1]]
                (folder / f"{number:05}.bin").write_bytes(one.tobytes())
        monkeypatch.setattr(NMNIST, "_check_exists", lambda self: True)
        return tmp_path, arrays

    def test_recordings_are_those_in_the_files(self, nmnist):
        folder, arrays = nmnist
        data = datasets.load("tonic:NMNIST", data_dir=folder, validation=0)
        for part, count in COUNTS.items():
            split, labels = getattr(data, part), arrays[f"{part}_labels"][:count]
            order = np.argsort(labels, kind="stable")
            assert split.images.shape == (count, 34, 34, 2)
            for place, number in enumerate(order):
                start, stop = arrays[f"{part}_offsets"][number : number + 2]
                one = split.images[place : place + 1]
                for kept, name in ((one.x, "x"), (one.y, "y"), (one.p, "p")):
                    np.testing.assert_array_equal(kept, arrays[f"{part}_{name}"][start:stop])
                times = arrays[f"{part}_t"][start:stop]
                np.testing.assert_array_equal(one.t_us, times - times[0])
                assert data.class_names[split.labels[place]].startswith(f"{labels[number]} - ")

    def test_they_are_read_again_and_typed(self, nmnist):
        folder, _ = nmnist
        data = datasets.load("tonic:NMNIST", data_dir=folder)
        assert load_again(origin(data), folder).checksum == data.checksum
        asked = ["data", "info", "tonic:NMNIST", "--data-dir", str(folder), "--json"]
        said = json.loads(CliRunner().invoke(main, asked).stdout)
        assert said["source"] == "NMNIST, read by the package tonic"
        assert said["images"] == {"train": 50, "validation": 10, "test": 20}
        message = refusal("tonic:NMNIST", ConfigError, data_dir=folder, grey=True)
        assert message == "grey: tonic:NMNIST holds recordings of events; leave --grey out"

    @pytest.fixture
    def made(self, monkeypatch):
        """A data set of tonic that gives these samples, without parts."""
        from tonic import datasets as of_tonic

        def make(samples, **about):
            def start(self, save_to):
                print("downloading")

            methods = {"__init__": start, "__len__": lambda _: len(samples)}
            methods["__getitem__"] = lambda _, number: samples[number]
            monkeypatch.setattr(of_tonic, "POKERDVS", type("POKERDVS", (), methods | about))
            return "tonic:POKERDVS"

        return make

    @pytest.mark.parametrize(("sensor", "width"), [((9, 1, 1), 9), (None, 4)])
    def test_without_rows_polarities_and_sizes(self, made, sensor, width, capsys):
        kind = np.dtype([("t", np.uint64), ("x", int)])
        samples = [(np.array([(90, 1), (95, 3)], kind), "ab"[number % 2]) for number in range(20)]
        data = datasets.load(made(samples, sensor_size=sensor))
        assert (data.image_shape, data.class_names) == ((1, width, 2), ("a", "b"))
        one = data.test.images[:1]
        assert [one.x.tolist(), one.y.tolist(), one.p.tolist(), one.t_us.tolist()] == [
            [1, 3],
            [0, 0],
            [0, 0],
            [0, 5],
        ]
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("samples", "words"),
        [
            (
                [(np.zeros(3), 1)] * 5,
                "its samples are not events with one label each; choose another data set",
            ),
            (
                [(np.zeros(3, [("x", int), ("t", int)]), {})] * 5,
                "its samples are not events with one label each",
            ),
            (
                [(np.array([(0, 5), (0, 7), (0, 6)], [("x", int), ("t", int)]), 1)] * 5,
                "t: time goes back at event 2",
            ),
            ([], "holds no recordings in "),
            ([1], "tonic cannot read it in "),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, made, samples, words):
        assert refusal(made(samples)).startswith(f"tonic:POKERDVS: {words}")

    def test_a_name_that_tonic_does_not_know(self):
        message = refusal("tonic:nmnist")
        assert message.startswith(
            "tonic:nmnist: tonic has no such data set; did you mean tonic:NMNIST? give one"
        )
