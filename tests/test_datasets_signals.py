"""Signals become images of height 1 by a scale that only the training signals decide."""

import contextlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from described import dense
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_data import refusal, saver
from scipy.io import wavfile

import fspinn
from fspinn import datasets
from fspinn.answering.compress import lower
from fspinn.base.errors import ConfigError, DataError, FspinnWarning
from fspinn.datasets import Reading, Scale, Split, read_images
from fspinn.datasets.arrays import as_dataset, as_images, as_split
from fspinn.network.rules import Stdp
from fspinn.search.formats import find_formats

RANDOM = np.random.default_rng(0)
SIGNALS = RANDOM.integers(-1000, 1000, (40, 12)).astype(np.int16)
LABELS = np.arange(40) % 2


@pytest.fixture
def npz(tmp_path):
    return saver(tmp_path / "own.npz")


# --- the scale --------------------------------------------------------------------------------------


def test_the_scale_is_that_of_most_values():
    values = np.arange(-1000, 1001)[:, None].astype(np.int16)
    scale = Scale.fitted(values)
    assert scale == Scale((-998.0,), (998.0,))
    images = scale.applied(np.array([[-2000, -998, 0, 998, 2000]]))
    assert (images.shape, images.dtype) == ((1, 1, 5), np.uint8)
    assert images[0, 0].tolist() == [0, 0, 128, 255, 255]


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    low=st.floats(-1e3, 1e3),
    span=st.floats(1e-3, 1e6),
)
@settings(max_examples=100, deadline=None, database=None)
def test_it_is_one_line_clipped(values, low, span):
    high = low + span
    images = Scale((low,), (high,)).applied(np.array([values]))
    for value, pixel in zip(values, images[0, 0].tolist(), strict=True):
        assert pixel == np.rint(min(max(255 * (value - low) / (high - low), 0), 255))


def test_integers_are_scaled_exactly():
    low, high = -37, 93
    values = np.arange(low, high + 1)
    exact = [round(Fraction(255 * (value - low), high - low)) for value in values.tolist()]  # a half to even
    assert Scale((low,), (high,)).applied(values[None])[0, 0].tolist() == exact


def test_values_far_outside_are_clipped():
    values = np.array([[-1.7e308, 1.7e308, np.float64(1e-3)]])
    assert Scale((0.0,), (1e-3,)).applied(values).tolist() == [[[0, 255, 255]]]


def test_each_channel_has_its_own():
    signals = np.stack([SIGNALS, SIGNALS * 0, SIGNALS * 3], axis=-1)
    scale = Scale.fitted(signals)
    assert (len(scale.low), scale.low[1], scale.high[1]) == (3, 0.0, 1.0)
    images = scale.applied(signals)
    assert images.shape == (40, 1, 12, 3)
    assert not images[..., 1].any()
    np.testing.assert_array_equal(images[..., 0], Scale.fitted(SIGNALS).applied(SIGNALS))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ((), (), "^Scale: 0 low and 0 high values; give one of each per channel"),
        ((0.0,), (1.0, 2.0), "^Scale: 1 low and 2 high values"),
        ((1.0,), (1.0,), "^Scale: from 1 to 1 is not a range; give finite values, low < high"),
        ((0.0,), (float("inf"),), "^Scale: from 0 to inf is not a range"),
        ((-1.7e308,), (1.7e308,), "^Scale: from -1.7e\\+308 to 1.7e\\+308 is not a range"),
    ],
)
def test_what_is_not_a_scale_is_refused(low, high, words):
    with pytest.raises(DataError, match=words):
        Scale(low, high)


def test_other_channels_are_refused():
    with pytest.raises(DataError, match=r"^signals: 1 channel\(s\) where the scale has 2; give as many"):
        Scale((0.0, 0.0), (1.0, 1.0)).applied(SIGNALS)


# --- files ------------------------------------------------------------------------------------------


def test_validation_and_test_signals_do_not_move_the_scale(npz):
    loud = np.where(np.arange(40)[:, None] < 20, SIGNALS, 30 * SIGNALS.astype(np.int32))
    path = npz(signals=SIGNALS, labels=LABELS, test_signals=loud, test_labels=LABELS)
    data = datasets.load(path)
    assert data.image_shape == (1, 12)
    assert data.scale == data.test.scale == Scale.fitted(SIGNALS[_kept(data, SIGNALS)])
    np.testing.assert_array_equal(data.test.images, data.scale.applied(loud))
    other = datasets.load(path, seed=1)
    assert other.checksum == data.checksum
    given = Scale((0.0,), (10.0,))
    assert datasets.load(path, scale=given).scale == given


def _kept(data, signals):
    """Return which signals are left to train on: those that validation does not have."""
    held_out = {image.tobytes() for image in data.validation.images}
    return np.array([image.tobytes() not in held_out for image in data.scale.applied(signals)])


@pytest.mark.parametrize(
    ("signals", "words"),
    [
        (
            np.where(np.arange(40)[:, None] == 7, np.nan, SIGNALS),
            "signals: signal 7 holds NaN or infinity; leave",
        ),
        (SIGNALS[0], "signals: shape (12,) is not (n, length) or (n, length, channels); reshape"),
        (SIGNALS[:, :0], "signals: empty, shape (40, 0); give at least one signal of one value"),
        (SIGNALS > 0, "signals: values are bool; give integers or floats, such as int16"),
        (SIGNALS[:9], "labels: 40 labels for the 9 signals of"),
    ],
)
def test_what_is_not_signals_is_refused(npz, signals, words):
    with pytest.raises(DataError) as caught:
        datasets.load(npz(signals=signals, labels=LABELS))
    assert words in str(caught.value)


def test_rows_of_a_table_are_signals(npz):
    assert datasets.load(npz(X=SIGNALS / 7, y=LABELS)).image_shape == (1, 12)


def test_signals_are_cut_or_padded_on_request(npz):
    with pytest.warns(FspinnWarning, match="of 40 signals 0 were cut and 40 padded to --length 20"):
        data = datasets.load(npz(signals=SIGNALS, labels=LABELS), reading=Reading(length=20), validation=0)
    assert data.image_shape == (1, 20)
    for asked in ({"grey": True}, {"resize": (1, 5)}):
        with pytest.raises(ConfigError, match="holds signals, not images; leave --"):
            datasets.load(npz(signals=SIGNALS, labels=LABELS), reading=Reading(**asked))


# --- wav files --------------------------------------------------------------------------------------


def save_wav(path, signal, rate_hz=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate_hz, signal)
    return path


@pytest.fixture
def sounds(tmp_path):
    """Six sounds each of two classes, 12 values long."""
    for number, signal in enumerate(SIGNALS[:12]):
        save_wav(tmp_path / "sounds" / ("yes" if number % 2 else "no") / f"{number:02}.wav", signal)
    return tmp_path / "sounds"


def test_wav_files_are_signals_of_the_classes_of_their_folders(sounds):
    data = datasets.load(sounds, validation=0)
    assert (data.class_names, data.image_shape, len(data.train)) == (("no", "yes"), (1, 12), 10)
    (source,) = read_images(sounds / "yes" / "01.wav", scale=data.scale)
    np.testing.assert_array_equal(source.images, data.scale.applied(SIGNALS[1:2]))


def test_channels_that_seem_to_come_first_are_a_warning(npz):
    stereo = np.stack([SIGNALS, -SIGNALS], axis=1)
    with pytest.warns(
        FspinnWarning,
        match=r"signals: shape \(\d+, 2, 12\) is 12 channels of 2 values; if channels come first, make it "
        r"\(n, length, channels\) with numpy\.moveaxis\(signals, 1, -1\)$",
    ):
        assert datasets.load(npz(signals=stereo, labels=LABELS)).image_shape == (1, 2, 12)


def test_several_channels_and_other_kinds_of_numbers(tmp_path):
    stereo = np.stack([SIGNALS, -SIGNALS], axis=-1).astype(np.float32)
    for number in range(6):
        save_wav(tmp_path / "a" / f"{number}.wav", stereo[number])
    assert datasets.load(tmp_path).image_shape == (1, 12, 2)


@pytest.mark.parametrize(
    ("signal", "rate_hz", "words"),
    [
        (SIGNALS[0], 16000, "16000 values per second where the first file has 8000; bring all to one rate"),
        (
            SIGNALS[0].astype(np.float32),
            8000,
            "float32 with 1 channel(s) where the first file has int16 with 1",
        ),
        (
            np.stack([SIGNALS[0]] * 2, 1),
            8000,
            "int16 with 2 channel(s) where the first file has int16 with 1",
        ),
        (SIGNALS[0, :9], 8000, "9 values where the signals before have 12; cut or pad all with --length"),
        (np.array([0, np.nan], np.float32), 8000, "holds NaN or infinity; save it again"),
        (SIGNALS[0, :0], 8000, "holds no sound; record it again or remove the file"),
    ],
)
def test_a_sound_unlike_the_first_is_refused(sounds, signal, rate_hz, words):
    path = save_wav(sounds / "yes" / "z.wav", signal, rate_hz)
    assert refusal(sounds).startswith(f"{path}: {words}")


def test_the_rate_of_test_sounds_is_that_of_training(sounds, tmp_path):
    (tmp_path / "own").mkdir()
    sounds.rename(tmp_path / "own" / "train")
    save_wav(tmp_path / "own" / "test" / "yes" / "0.wav", SIGNALS[0], 4000)
    assert "test signals are 4000 values per second of int16, training signals 8000 values per" in refusal(
        tmp_path / "own"
    )
    save_wav(tmp_path / "own" / "test" / "yes" / "0.wav", SIGNALS[0, :5])
    assert "test signals are 5 values, training signals 12; bring them to one size (try --length)" in refusal(
        tmp_path / "own"
    )


def test_cutting_and_padding_is_said(sounds):
    save_wav(sounds / "yes" / "z.wav", SIGNALS[0, :3])
    with pytest.warns(FspinnWarning, match=r"sounds: of 13 signals 12 were cut and 1 padded to --length 5"):
        assert datasets.load(sounds, reading=Reading(length=5)).image_shape == (1, 5)


def test_the_silence_of_8_bits_is_128(tmp_path):
    for number in range(6):
        save_wav(tmp_path / "a" / f"{number}.wav", np.array([0, 128, 255], np.uint8))
    with pytest.warns(FspinnWarning):
        data = datasets.load(tmp_path, reading=Reading(length=4))
    assert data.train.images[0, 0].tolist() == [0, 128, 255, 128]


def test_sounds_and_pictures_are_not_mixed(sounds):
    from PIL import Image

    Image.new("L", (4, 4)).save(sounds / "yes" / "one.png")
    assert "a sound among pictures; keep one of the two kinds" in refusal(sounds)


def test_a_wav_file_cut_anywhere_is_refused(tmp_path):
    path = save_wav(tmp_path / "one.wav", SIGNALS[0])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"one.wav: (damaged or unknown wav file|holds no sound)"):
            read_images(path, scale=Scale((0.0,), (1.0,)))


@given(position=st.integers(0, 10**6), bits=st.integers(1, 255))
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_damaged_byte_is_harmless_or_refused(tmp_path, position, bits):
    path = save_wav(tmp_path / "one.wav", SIGNALS[0])
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= bits
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert read_images(path, scale=Scale((0.0,), (1.0,)))[0].images.ndim == 3


# --- a model knows its scale ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("signals") / "own.npz"
    np.savez(path, signals=SIGNALS, labels=LABELS, test_signals=SIGNALS[::-1], test_labels=LABELS[::-1])
    return datasets.load(path)


@pytest.fixture(scope="module")
def model(data):
    return fspinn.train(dense(neurons=10), data, learner=Stdp(passes=2), progress=False).model


def test_the_model_file_keeps_it(data, model, tmp_path):
    assert model.scale == data.scale
    fspinn.save(model, tmp_path / "net.h5")
    assert fspinn.load(tmp_path / "net.h5").scale == data.scale
    assert fspinn.quantize(model, "UQ0.4", state="Q9.6").scale == data.scale
    assert lower(model, data, weights="UQ0.4", state="Q9.6", prune=True).model.scale == data.scale


def test_a_model_answers_signals_as_they_were_recorded(data, model):
    raw = SIGNALS[::-1]
    expected = fspinn.predict(model, data.test)
    np.testing.assert_array_equal(fspinn.predict(model, raw).scores, expected.scores)
    np.testing.assert_array_equal(fspinn.predict(model, data.test.images).scores, expected.scores)
    np.testing.assert_array_equal(fspinn.predict(model, raw.astype(float)).scores, expected.scores)
    np.testing.assert_array_equal(fspinn.predict(model, raw[0]).scores, expected.scores[:1])
    np.testing.assert_array_equal(fspinn.predict(model, raw[:1]).scores, expected.scores[:1])
    accuracy = fspinn.evaluate(model, data.test).accuracy
    assert fspinn.evaluate(model, (raw, LABELS[::-1])).accuracy == accuracy


def test_a_pair_of_signals_and_labels_is_trained_on():
    result = fspinn.train(dense(neurons=10), (SIGNALS, LABELS), learner=Stdp(passes=1), progress=False)
    assert result.model.scale == Scale.fitted(SIGNALS)
    stereo = np.stack([SIGNALS, SIGNALS], axis=-1)
    assert as_dataset((stereo, LABELS)).image_shape == (1, 12, 2)


def test_signals_scaled_in_another_way_are_refused(data, model):
    other = Split(data.test.images, data.test.labels, data.class_names, scale=Scale((0.0,), (5.0,)))
    words = r"^split: these signals are scaled in another way than those that the model was trained on; load"
    for work in (
        lambda: fspinn.evaluate(model, other),
        lambda: fspinn.predict(model, other),
        lambda: fspinn.quantize(model, "UQ0.4", data=other),
        lambda: lower(model, replace(data, train=other), weights="UQ0.4"),
        lambda: find_formats(model, other),
    ):
        with pytest.raises(DataError, match=words):
            work()
    of_arrays = as_dataset((2 * SIGNALS, LABELS), model.scale)
    np.testing.assert_array_equal(of_arrays.train.images, model.scale.applied(2 * SIGNALS))


def test_signals_need_a_model_of_signals(data, tmp_path):
    with pytest.raises(DataError, match=r"^images: these are signals, and nothing says how they are scaled"):
        as_split((SIGNALS, LABELS))
    width = SIGNALS.shape[1]
    with pytest.raises(
        DataError, match=f"^images: {width} values do not fit a model for 8 x 8; give samples"
    ):
        as_split((SIGNALS, LABELS), shape=(8, 8))
    np.savez(tmp_path / "own.npz", signals=SIGNALS)
    with pytest.raises(
        DataError, match=r"holds signals, but the model was trained on images; give it images"
    ):
        read_images(tmp_path / "own.npz")
    np.save(tmp_path / "one.npy", SIGNALS[0])
    for path in (tmp_path / "own.npz", tmp_path / "one.npy"):
        (source,) = read_images(path, scale=data.scale)
        np.testing.assert_array_equal(source.images[:1], data.scale.applied(SIGNALS[:1]))


def test_the_scale_must_fit_the_model(model):
    with pytest.raises(
        ConfigError, match=r"^scale: of 2 channel\(s\) does not fit signals of shape \(1, 12\)"
    ):
        replace(model, scale=Scale((0.0, 0.0), (1.0, 1.0)))


def test_bytes_are_signals_unless_they_are_a_batch_of_images():
    scale, raw = Scale((0.0,), (10.0,)), np.array([[0, 5, 10], [10, 5, 0]], np.uint8)
    scaled = scale.applied(raw)
    for one in (raw, scaled, (raw, np.zeros(2)), list(raw), tuple(raw)):
        np.testing.assert_array_equal(as_images(one, (1, 3), scale), scaled)
    for one in (raw[0], raw[:1]):
        np.testing.assert_array_equal(as_images(one, (1, 3), scale), scaled[:1])
