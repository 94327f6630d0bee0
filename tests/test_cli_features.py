"""Features on the command line: from files to answers, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import answer, refused, run
from featured import NAMES, bare, some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fspinn
from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets import Reading, read_images
from fspinn.datasets.origin import load_again, origin
from fspinn.search.jobs import Source, _loaded

SPLIT = some(240)
TRAIN = ("--neurons", 8, "--passes", 2, "--readout", "linear", "--seed", 1)


def save_npz(path, split=SPLIT):
    arrays = {"images": split.images, "labels": split.labels, "class_names": np.array(split.class_names)}
    if split.features is not None:
        arrays |= {"features": split.features, "feature_names": np.array(split.feature_names)}
    np.savez(path, **arrays)


def save_csv(path, split=SPLIT, labelled=True):
    """One image a row, between its features."""
    before, age = split.features.T
    head = [*(["label"] if labelled else []), "age", *(f"p{k}" for k in range(36)), "RR before"]
    lines = [",".join(head)]
    for k in range(len(split)):
        label = [split.class_names[split.labels[k]]] if labelled else []
        pixels = map(str, split.images[k].ravel())
        lines.append(",".join([*label, repr(float(age[k])), *pixels, repr(float(before[k]))]))
    path.write_text("\n".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files, and a model that has learned from one of them."""
    folder = tmp_path_factory.mktemp("features")
    save_npz(folder / "own.npz")
    save_npz(folder / "bare.npz", bare(SPLIT))
    save_csv(folder / "own.csv")
    save_csv(folder / "unlabelled.csv", labelled=False)
    assert run("train", "--dataset", folder / "own.npz", *TRAIN, "-o", folder / "net.h5").exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_all_commands_take_the_features_of_the_file():
    info = answer("info", "net.h5")
    assert info["features"]["names"] == list(NAMES)
    assert "RR before (" in run("info", "net.h5").stdout
    assert answer("evaluate", "net.h5")["accuracy"] > 0.95
    rows = answer("predict", "net.h5")["images"]
    assert np.mean([row["label"] == row["class"] for row in rows]) > 0.95
    assert max(int(k) for row in rows for k in row["spike_counts"]) < 8  # of neurons only
    small = answer(
        "quantize", "net.h5", "--weights", "UQ0.4", "--state", "16 bits", "--readout", "Q1.2", "-o", "q.h5"
    )
    assert small["readout_fitted"] is True
    assert answer("evaluate", "q.h5")["accuracy"] > 0.95
    assert answer("estimate", "q.h5")["memory_bits"]["inference"]["readout"] == (8 + 30) * 2 * 3 + 2 * 16
    assert run("export", "q.h5", "--target", "c", "-o", "out").exit_code == 0
    assert "_EXTRA_FEATURES 2" in Path("out/network.h").read_text()
    for picture in ("spike-raster", "receptive-fields", "thresholds", "confusion-matrix", "coverage"):
        result = run("plot", picture, "net.h5", "-o", f"{picture}.png")
        assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("others", [(), ("--memory", "20B")], ids=["found", "not found"])
def test_a_search_reports_what_the_readout_listens_to(others):
    words = ("--sizes", "4,8", "--weights", "UQ0.4", "--readouts", "linear", "--seeds", 1, "--passes", 2)
    result = run(
        "search", "--dataset", "own.npz", "--accuracy", 0.7, *others, *words, "-o", "result", "--overwrite"
    )
    assert result.exit_code == len(others) // 2, result.stderr
    page = Path("result/report.html").read_text()
    assert ("The readout listens to RR before, age too." in page) is (not others)
    assert "on the pixels and features of the same" in page
    assert f" of {(36 + 2) * 2}</td>" in page  # MACs of a linear classifier


def test_columns_of_a_table_are_named():
    shape = ("--shape", "6x6")
    named = ("--dataset", "own.csv", *shape, "--features", "RR before, age")
    answer("train", *named, *TRAIN, "-o", "table.h5")
    same = answer("evaluate", "net.h5")["accuracy"]
    assert answer("evaluate", "table.h5")["accuracy"] == same
    # A model knows the names of the columns that it listens to.
    assert answer("evaluate", "net.h5", "--dataset", "own.csv", *shape)["accuracy"] == same
    assert answer("evaluate", "table.h5", "--dataset", "own.npz")["accuracy"] == same
    from_table = answer("predict", "net.h5", "unlabelled.csv", *shape)["images"]
    from_arrays = answer("predict", "net.h5", "own.npz")["images"]
    assert [row["scores"] for row in from_table] == [row["scores"] for row in from_arrays]


def test_features_are_chosen_or_left_out():
    assert (
        answer("train", "--dataset", "own.npz", *TRAIN, "--features", "none", "-o", "none.h5")["features"]
        == []
    )
    assert answer("info", "none.h5")["features"] is None
    assert answer("evaluate", "none.h5")["accuracy"] < 0.8
    said = run("train", "--dataset", "own.npz", *TRAIN, "--features", "age", "-o", "age.h5").stdout
    assert "\nthe readout listens to age too\n" in said
    assert answer("info", "age.h5")["features"]["names"] == ["age"]
    assert answer("evaluate", "age.h5")["accuracy"] < 0.8
    assert answer("data", "info", "own.npz", "--features", "age")["features"] == ["age"]
    data = fspinn.datasets.load("own.npz", reading=Reading(features=("age",)))
    assert origin(data)["reading"] == {"features": ["age"]}
    again = load_again(json.loads(json.dumps(origin(data))))
    np.testing.assert_array_equal(again.train.features, data.train.features)
    assert Reading(features="age").features == ("age",)
    assert origin(fspinn.datasets.load("own.npz", reading=Reading(features=())))["reading"] == {
        "features": []
    }


def test_workers_load_the_same_features():
    data = fspinn.datasets.load("own.npz", reading=Reading(features=("age",)))
    loaded = _loaded(Source.of(data, None))
    assert loaded.feature_names == ("age",)
    np.testing.assert_array_equal(loaded.validation.features, data.validation.features)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("evaluate", "net.h5", "--dataset", "bare.npz"),
            "bare.npz: has no features, and the readout of the",
        ),
        (
            ("predict", "net.h5", "bare.npz"),
            "bare.npz: has no features, and the readout of the model listens",
        ),
        (
            ("evaluate", "net.h5", "--dataset", "own.npz", "--features", "age"),
            "--features: the readout of this model listens to 'RR before'; leave the option out",
        ),
        (
            ("data", "info", "own.npz", "--features", "height"),
            "own.npz: has no feature 'height' (it has RR be",
        ),
        (
            ("data", "info", "digits", "--features", "age"),
            "digits: has no feature 'age' (it has none); choose",
        ),
        (
            ("data", "info", "own.csv", "--features", "x"),
            "own.csv: has no column 'x' of a feature (it has la",
        ),
        (
            ("data", "info", "own.csv", "--features", "label"),
            "own.csv: column 'label' is that of classes, not of a feature; leave it out",
        ),
        (
            ("data", "info", "own.npz", "--features", "age,"),
            "--features: 'age,' is not a list of names; write",
        ),
        (
            ("data", "info", "own.npz", "--features", "a,a"),
            "features: a, a: these are not names of columns, each once; give each name once",
        ),
        (
            ("predict", "net.h5", "own.npz", "--features", "age"),
            "--features: the readout of this model listens to 'RR before'",
        ),
        (
            ("predict", "net.h5", "own.npz", "--features", "none"),
            "--features: the readout of this model listens to 'RR before'",
        ),
        (("evaluate", "net.h5", "--features", "age"), "--features: the images that the model was trained on"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(words, said):
    message = refused(*words)
    assert message.startswith(f"fspinn: {said}"), message
    assert "; " in message


def test_values_that_are_not_numbers_name_line_and_column():
    lines = Path("own.csv").read_text().splitlines()
    broken = [*lines[:3], lines[3].rsplit(",", 1)[0] + ",soon"]
    Path("broken.csv").write_text("\n".join(broken))
    said = r"^broken.csv: line 4: 'soon' in column 'RR before' is not a number; fill it in"
    with pytest.raises(DataError, match=said):
        fspinn.datasets.load("broken.csv", reading=Reading(features=("RR before",)))
    broken = [*lines[:3], lines[3].rsplit(",", 1)[0] + ",1e300"]  # more than float32 holds
    Path("broken.csv").write_text("\n".join(broken))
    assert refused("data", "info", "broken.csv", "--features", "RR before").startswith(
        "fspinn: broken.csv: features: row 2 holds NaN or infinity; fill the gap"
    )


def test_whether_pixels_are_whole_does_not_depend_on_features():
    named = Reading(features=("RR before", "age"), shape=(6, 6))
    (source,) = read_images("own.csv", named)
    np.testing.assert_array_equal(source.images, SPLIT.images)
    np.testing.assert_array_equal(source.features, SPLIT.features)
    assert source.part(2, 4).features.tolist() == SPLIT.features[2:4].tolist()
    with pytest.raises(ConfigError, match=r"^features: 1: these are not names of columns, each once"):
        Reading(features=(1,))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(max_size=12))
def test_any_text_of_names_is_read_or_refused_in_one_line(text):
    result = run("data", "info", "own.npz", f"--features={text}")
    assert result.exit_code in (0, 2)
    assert result.exit_code == 0 or result.stderr.count("\n") == 1


@pytest.mark.parametrize("form", ["own.csv", "folder"])
def test_a_table_is_one_in_the_home_folder_too(form, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    for name in ("own.csv", "folder/train.csv"):
        save_csv(tmp_path / name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    features = ("--shape", "6x6", "--features", ",".join(NAMES))
    assert run("train", "--dataset", "own.csv", *features, *TRAIN).exit_code == 0
    again = run("evaluate", "net.h5", "--dataset", f"~/{form}", "--shape", "6x6")
    assert again.exit_code == 0, again.stderr


def test_names_without_features_are_refused():
    arrays = dict(np.load("own.npz"))
    name = next(name for name in arrays if name.endswith("features"))
    arrays[f"{name}_"] = arrays.pop(name)
    np.savez("renamed.npz", **arrays)
    with pytest.raises(
        DataError, match=r"^renamed.npz: holds feature_names, but no array .*features for them"
    ):
        fspinn.datasets.load("renamed.npz")
