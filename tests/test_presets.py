"""Presets are complete, valid and named after what they were tuned for."""

import pytest
from described import both, changed

from fspinn import presets
from fspinn.base.errors import ConfigError
from fspinn.datasets import catalogue

SIZES = (100, 400, 1600, 4900)


def test_the_promised_sizes_are_there():
    promised = [f"{data}-{neurons}" for data in ("fashion-mnist", "mnist") for neurons in SIZES]
    assert set(promised) <= set(presets.names())
    assert [name for name in presets.names() if name in promised] == promised


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_names_its_data_set_and_size_and_is_a_network(name):
    preset, data = presets.load(name), presets.dataset_of(name)
    assert data in catalogue
    assert preset.learner.passes >= 1
    *below, last = preset.network.layers
    assert name.startswith(f"{data}-{'stack-' if below else ''}{last.neurons}")
    assert preset.readout == ("linear" if name.endswith("-linear") else "proportion")


FILES = sorted(presets.FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_tuned_preset_says_how_it_was_found(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = "".join(line for line in lines if line.startswith("#"))
    assert "validation" in comments
    assert "seed" in comments


def test_an_unknown_preset_is_refused_with_a_guess():
    with pytest.raises(
        ConfigError, match=r"preset: there is no 'minst-400'; did you mean mnist-400\? use one"
    ):
        presets.load("minst-400")
    with pytest.raises(ConfigError, match=r"there is no 'x'; use one of fashion-mnist-100, "):
        presets.load("x")
    with pytest.raises(ConfigError, match=r"there is no '../presets/mnist-400'"):
        presets.load("../presets/mnist-400")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "neurons = 7\npasses = 1\nneuron = 8",
            r"own-7\.toml: unknown setting 'neuron'; did you mean neurons\?",
        ),
        ("neurons = 7", r"own-7\.toml: passes is missing; add it"),
        ("passes = 1", r"own-7\.toml: neurons is missing; add it"),
        ("neurons = 7\npasses = 0", r"own-7\.toml: passes: must be from 1 to 1000000, but got 0"),
        ("neurons = 7\npasses = 1\nthreshold = -1", r"own-7\.toml: threshold: must be above 0"),
    ],
)
def test_a_bad_preset_is_refused(text, words, tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    (tmp_path / "own-7.toml").write_text(text)
    assert presets.names() == ["own-7"]
    with pytest.raises(ConfigError, match=words):
        presets.load("own-7")


def test_a_damaged_preset_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    (tmp_path / "own-7.toml").write_text("neurons = ")
    with pytest.raises(ConfigError, match=r"own-7\.toml: is not a preset \(.*\); install fspinn again"):
        presets.load("own-7")


def test_a_table_named_after_a_readout_is_a_preset_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    (tmp_path / "own-7.toml").write_text("neurons = 7\npasses = 2\n[linear]\nanswer_threshold = 3.0\n")
    assert presets.names() == ["own-7", "own-7-linear"]
    plain = both(neurons=7, passes=2)
    assert presets.load("own-7") == plain
    assert presets.load("own-7-linear") == changed(plain, readout="linear", answer_threshold=3.0)
