"""A seed is a whole number of 64 bits, in every place that takes one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense

import fspinn
from fspinn import datasets, plots
from fspinn.answering.compress import lower
from fspinn.backends.c import export_c
from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.learning.checkpoint import remove
from fspinn.learning.training import learn
from fspinn.lowering import quantize
from fspinn.network.rules import Stdp
from fspinn.search.formats import find_formats

LARGEST = 2**64 - 1
SMALL = dense(neurons=5, duration_ms=50.0)


@pytest.fixture(scope="module")
def data():
    digits = datasets.load("digits")
    return replace(digits, train=digits.train.first(40), validation=digits.validation.first(20))


@pytest.fixture(scope="module")
def model(data):
    return fspinn.train(SMALL, data, learner=Stdp(passes=1), seed=LARGEST, progress=False).model


@pytest.fixture(scope="module")
def integers(model):
    return quantize(model, weights="UQ0.4", state="Q9.6", rounding="stochastic", seed=LARGEST)


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        (1.5, "1.5 is not a whole number; give one from 0 to 18446744073709551615"),
        (1.0, "1.0 is not a whole number"),
        ("1", "'1' is not a whole number"),
        (None, "None is not a whole number"),
        (True, "True is not a whole number"),
        (-1, "must be from 0 to 18446744073709551615, but got -1"),
        (2**64, f"must be from 0 to 18446744073709551615, but got {2**64}"),
    ],
)
def test_what_is_not_a_seed_is_refused_everywhere(data, model, integers, tmp_path, seed, words):
    split, image = data.validation, data.validation.images[0]
    takers = {
        "load": lambda: datasets.load("digits", seed=seed),
        "train": lambda: fspinn.train(SMALL, data, seed=seed),
        "learn": lambda: learn(SMALL, data, seed=seed),
        "evaluate": lambda: fspinn.evaluate(model, split, seed=seed),
        "predict": lambda: fspinn.predict(model, split.images, seed=seed),
        "quantize": lambda: quantize(model, weights="UQ0.4", seed=seed),
        "lower": lambda: lower(model, data, weights="UQ0.4", seed=seed),
        "find_formats": lambda: find_formats(model, data, seed=seed),
        "tune": lambda: fspinn.tune(SMALL, data, seed=seed),
        "sweep": lambda: fspinn.sweep(SMALL, data, {"threshold": [5.0]}, seed=seed),
        "export_c": lambda: export_c(integers, tmp_path / "out", seed=seed),
        "spike_raster": lambda: plots.spike_raster(model, image, seed=seed),
    }
    for name, take in takers.items():
        with pytest.raises(ConfigError) as refused:
            pytest.fail(f"{name} took it: {take()}")
        assert str(refused.value).startswith(f"seed: {words}"), name
    with pytest.raises(ConfigError, match=r"^seed: "):
        fspinn.find_smallest(datasets.load("digits"), seed=seed)
    assert list(tmp_path.iterdir()) == []


def test_the_seeds_of_all_finalists_are_seeds():
    with pytest.raises(ConfigError, match=f"^seed: must be from 0 to {LARGEST - 2}, but got {LARGEST}$"):
        fspinn.find_smallest(datasets.load("digits"), seed=LARGEST, seeds=3)


def test_the_largest_seed_is_kept_by_files_and_has_its_own_bits(data, model, integers, tmp_path):
    fspinn.save(integers, tmp_path / "net.h5")
    loaded = fspinn.load(tmp_path / "net.h5")
    assert loaded.record["seed"] == LARGEST
    answer = fspinn.predict(loaded, data.test.images, seed=LARGEST).spike_counts
    np.testing.assert_array_equal(
        answer, fspinn.predict(integers, data.test.images, seed=LARGEST).spike_counts
    )
    for other in (0, 2**63, LARGEST - 1):
        assert (fspinn.predict(loaded, data.test.images, seed=other).spike_counts != answer).any()
    export_c(integers, tmp_path / "out", seed=LARGEST)
    assert f"UINT64_C({LARGEST})" in (tmp_path / "out" / "network.c").read_text()
    chosen = datasets.load("digits", seed=LARGEST).validation.labels
    assert (chosen != datasets.load("digits", seed=LARGEST - 1).validation.labels).any()
    fspinn.save(
        fspinn.train(SMALL, data, learner=Stdp(passes=1), seed=np.uint64(LARGEST)).model,
        tmp_path / "numpy.h5",
    )
    fspinn.save(model, tmp_path / "python.h5")
    assert (tmp_path / "numpy.h5").read_bytes() == (tmp_path / "python.h5").read_bytes()


def test_a_run_with_the_largest_seed_goes_on_from_its_checkpoint(data, model, tmp_path):
    kept = tmp_path / "net.checkpoint"
    run = {"learner": Stdp(passes=1), "seed": LARGEST, "checkpoint": kept, "progress": False}
    fspinn.train(SMALL, data, **run)
    np.testing.assert_array_equal(
        fspinn.train(SMALL, data, **run, resume=True).model.layer.weights.values, model.layer.weights.values
    )
    remove(kept)


# Brian2 2.9 calls its parser by old names.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_brian2_draws_the_same_spikes_from_the_largest_seed(data, model):
    images = data.validation.images[:3]
    answers = [
        fspinn.predict(model, images, seed=LARGEST, engine=engine).spike_counts
        for engine in ("numba", "brian2")
    ]
    np.testing.assert_array_equal(*answers)


def test_the_largest_seed_goes_through_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "settings.toml"
    settings.write_text(f"seed = {LARGEST}\nneurons = 5\nduration_ms = 50\npasses = 1\nsamples = 40\n")
    answer = CliRunner().invoke(main, ["train", "--config", str(settings), "--json"])
    assert json.loads(answer.stdout)["seed"] == LARGEST
    answer = CliRunner().invoke(
        main, ["predict", "net.h5", "--samples", "2", "--seed", str(LARGEST), "--json"]
    )
    assert json.loads(answer.stdout)["seed"] == LARGEST
