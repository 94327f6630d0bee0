"""How the commands read files: as they are, or as is asked for; and what they say of them."""

import json

import numpy as np
import pytest
from commands import answer, refused, run
from PIL import Image
from scipy.io import wavfile

from fspinn import datasets
from fspinn.datasets.origin import load_again, origin
from fspinn.search.jobs import Source, _loaded

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(here):
    """Coloured pictures of two classes: bright above or below."""
    for number in range(24):
        pixels = RANDOM.integers(0, 60, (8, 6, 3), dtype=np.uint8)
        pixels[:4] += np.uint8(190 * (number % 2))
        folder = here / "photos" / ("dark", "light")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return here / "photos"


@pytest.fixture
def sounds(here):
    for number in range(24):
        signal = RANDOM.integers(-99, 99, 10).astype(np.int16) + np.int16(5000 * (number % 2))
        folder = here / "sounds" / ("low", "high")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        wavfile.write(folder / f"{number}.wav", 8000, signal)
    return here / "sounds"


TRAIN = ("train", "--neurons", 8, "--passes", 2, "--set", "duration_ms=50", "-o", "net.h5")


def test_networks_learn_from_colours_and_signals(photos, sounds):
    settings = ("--field", 3, "--cells", 2, "--set", "contrast=on-off", "--set", "contrast_of=colours")
    coloured = ("train", "--neurons", 6, "--passes", 2, *settings, "--dataset", photos, "-o", "net.h5")
    assert run(*coloured).exit_code == 0
    assert answer("evaluate", "net.h5")["accuracy"] > 0.9
    assert "8 x 6 pixels, 3 channels" in run("info", "net.h5").stdout
    assert answer("predict", "net.h5", photos / "dark" / "0.png")["images"][0]["class_name"] == "dark"
    for picture in ("receptive-fields", "spike-map", "spike-raster"):
        assert run("plot", picture, "net.h5", "-o", "picture.png").exit_code == 0
    assert (
        "contrast_of: colours are red, green and blue, but samples have 1 channel; leave it out"
        in refused(*coloured, "--grey", "--validation", 0)
    )
    levels = ("--field", "1x3", "--cells", "1x4", "--set", "contrast=level", "--dataset", sounds)
    assert run("train", "--neurons", 6, "--passes", 2, *levels, "-o", "tones.h5").exit_code == 0
    assert answer("evaluate", "tones.h5")["accuracy"] > 0.9
    assert run("plot", "spike-map", "tones.h5", "-o", "picture.png").exit_code == 0
    assert answer("predict", "tones.h5", sounds / "low" / "0.wav")["images"][0]["class_name"] == "low"
    for name, rate_hz, numbers, words in (
        ("fast.wav", 44100, np.int16, "44100 values per second of int16"),
        ("real.wav", 8000, np.float32, "8000 values per second of float32"),
    ):
        wavfile.write(name, rate_hz, np.zeros(10, numbers))
        said = f"{name}: {words}, but the model was trained on 8000 values per second of int16; bring"
        assert said in refused("predict", "tones.h5", name)


def test_pictures_are_read_again_as_a_model_was_trained_on_them(photos):
    assert run(*TRAIN, "--dataset", photos, "--grey", "--resize", "4x3").exit_code == 0
    measured = answer("evaluate", "net.h5")
    same = answer("evaluate", "net.h5", "--dataset", photos, "--grey", "--resize", "4x3")
    assert measured["accuracy"] == same["accuracy"]
    picture = photos / "dark" / "0.png"
    found = answer("predict", "net.h5", picture, "--grey", "--resize", "4x3")["images"][0]
    assert found["class_name"] in ("dark", "light")
    assert "8 x 6 x 3 pixels do not fit a model for 4 x 3; bring them to that size, in grey" in refused(
        "predict", "net.h5", picture
    )
    assert (
        "--grey: the images that the model was trained on are read as they were for training; leave it"
        in refused("evaluate", "net.h5", "--grey")
    )


def test_files_know_how_a_data_set_was_read(photos):
    data = datasets.load(photos, reading=datasets.Reading(grey=True, resize=(4, 3)))
    known = json.loads(json.dumps(origin(data)))
    assert known == origin(data)
    assert load_again(known).reading == data.reading
    assert "reading" not in origin(datasets.load("digits"))


def test_a_search_goes_on_with_the_same_command(photos):
    data = ("--dataset", photos, "--grey", "--resize", "4x3", "--validation", 10)
    words = ("search", *data, "--sizes", 4, "--seeds", 1, "--accuracy", 0.3, "-o", "result")
    for _ in range(2):
        result = run(*words)
        assert result.exit_code in (0, 1), result.stderr


def test_a_file_of_settings_says_it_too(photos):
    with open("own.toml", "w") as file:
        file.write(f'dataset = "{photos}"\ngrey = true\nresize = "4x3"\n')
    assert run(*TRAIN, "--config", "own.toml").exit_code == 0
    assert answer("info", "net.h5")["image_shape"] == [4, 3]


def test_sounds_from_files_to_answers(sounds):
    assert run(*TRAIN, "--dataset", sounds).exit_code == 0
    found = answer("predict", "net.h5", sounds / "low" / "0.wav", sounds / "high" / "1.wav")["images"]
    (low,), (high,) = (
        answer("predict", "net.h5", sounds / name)["images"][:1] for name in ("low/0.wav", "high/1.wav")
    )
    assert [one["scores"] for one in found] == [low["scores"], high["scores"]]
    assert answer("evaluate", "net.h5")["samples"] == 4


def test_columns_of_a_table_are_those_that_a_model_was_trained_on(here):
    values, kinds = RANDOM.integers(0, 256, (40, 6)), np.arange(40) % 2
    values[:, :3] //= 1 + 9 * kinds[:, None]
    names, order = np.array(list("abcdef")), np.array([3, 1, 5, 0, 2, 4])

    def write(name, columns, table):
        lines = [",".join(columns), *(",".join(map(str, row)) for row in table.tolist())]
        (here / name).write_text("\n".join(lines) + "\n")

    write("own.csv", [*names, "kind"], np.column_stack([values, kinds]))
    write("turned.csv", ["kind", *names[order]], np.column_stack([kinds, values[:, order]]))
    write("less.csv", names[1:], values[:, 1:])
    answer("train", "--dataset", "own.csv", "--label", "kind", "--neurons", 6, "-o", "net.h5")
    said = [answer("predict", "net.h5", name)["images"] for name in ("own.csv", "turned.csv")]
    assert [row["scores"] for row in said[0]] == [row["scores"] for row in said[1]]
    measured = [
        answer("evaluate", "net.h5", "--dataset", name, "--label", "kind")
        for name in ("own.csv", "turned.csv")
    ]
    assert measured[0]["confusion_matrix"] == measured[1]["confusion_matrix"]
    assert refused("predict", "net.h5", "less.csv") == (
        "fspinn: less.csv: has no column 'a', which the training data have; add it\n"
    )


def test_another_data_set_is_scaled_as_the_model_says(sounds):
    # With this encoder the same signal gets the same answer whatever its number.
    assert run(*TRAIN, "--set", "encoder=ttfs", "--set", "threshold=1", "--dataset", sounds).exit_code == 0
    assert datasets.load(sounds).scale.high[0] > 4900
    for path in (sounds / "high").iterdir():
        path.unlink()
    (sounds / "high").rmdir()
    assert datasets.load(sounds).scale.high[0] < 100
    rows = answer("predict", "net.h5", "--dataset", sounds)["images"]
    expected = answer("predict", "net.h5", sounds / "low")["images"]
    assert {str(row["spike_counts"]) for row in rows} <= {str(row["spike_counts"]) for row in expected}
    assert any(row["spike_counts"] for row in rows)


def test_workers_of_a_search_read_alike(photos):
    data = datasets.load(photos, reading=datasets.Reading(grey=True, resize=(4, 3)), validation=5)
    again = _loaded(Source.of(data, None))
    np.testing.assert_array_equal(again.train.images, data.train.images)
    assert again.reading == data.reading


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--resize", "big"), "--resize: 'big' is not height and width; write it like 28x28"),
        (("--resize", "0"), "resize: must be from 1 to 1048576, but got 0"),
        (("--length", "9"), "holds images, not signals; leave --length out"),
        (("--shape", "4"), "is not a CSV file; leave --shape out"),
        (("--length", "0"), "Invalid value for '--length'"),
    ],
)
def test_what_makes_no_sense_is_refused(photos, option, words):
    assert words in refused(*TRAIN, "--dataset", photos, *option)
    assert words in refused("data", "info", photos, *option)


def test_info_tells_what_was_read(sounds):
    text = run("data", "info", sounds).stdout
    assert "pixels      1x10" in text
    assert "became 0 to 255 (the 0.1 and 99.9 percentile of the training signals)" in text
    assert "2 (high, low)" in text
    np.savez(
        "own.npz",
        images=np.repeat(np.arange(20, dtype=np.uint8), 8).reshape(40, 2, 2) // 2,
        labels=np.arange(40) % 2,
        groups=np.arange(40) // 4,
        features=np.zeros((40, 1)),
        feature_names=np.array(["age"]),
    )
    found = answer("data", "info", "own.npz")
    assert found["groups"] == {"train": 7, "validation": 1, "test": 2}
    assert found["features"] == ["age"]
    assert found["range"] == [0, 9]
    assert found["blank"] == {"train": 28, "validation": 4, "test": 8}
    assert found["duplicates"] == {"train": 21, "validation": 3, "test": 6}
    assert found["shared"] == {"train": 0, "validation": 0, "test": 0}
    assert sum(found["class_counts"]["train"]) == 28
    text = run("data", "info", "own.npz").stdout
    assert "groups      7 train, 1 validation, 2 test, none in two of them" in text
    assert "blank       28 train, 4 validation, 8 test" in text
    assert "  0         14 train, 2 validation, 4 test" in text


def test_the_options_are_explained_in_one_place():
    assert "--resize TEXT" in run("data", "info", "-h").stdout
    assert "--resize" not in run("train", "-h").stdout
    assert "--resize" in run("data", "-h").stdout
