"""Recordings of event cameras: binned, counted, taken apart, read from files."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_data import refusal, saver
from recorded import HEIGHT, WIDTH, drawn, halves, per_step, recordings_of

from fspinn import datasets
from fspinn.base.errors import ConfigError, DataError, FspinnError
from fspinn.datasets import Reading, Recordings, Split
from fspinn.datasets.arrays import as_dataset

ONE = {"x": [0, 1], "y": [1, 0], "p": [1, 0], "t_us": [0, 5], "offsets": [0, 1, 2], "height": 2, "width": 3}


@pytest.fixture
def npz(tmp_path):
    return saver(tmp_path / "events.npz")


class TestRecordings:
    @given(
        steps=st.integers(1, 12),
        step_us=st.integers(1, 3000),
        events=st.integers(0, 80),
        seed=st.integers(0, 9),
    )
    def test_an_input_spikes_once_in_each_step_with_an_event(self, steps, step_us, events, seed):
        recordings = drawn(events=events, seed=seed)
        offsets, inputs = recordings.binned(steps, step_us)
        assert (offsets.dtype, inputs.dtype, offsets.shape) == (np.int64, np.int32, (6, steps + 1))
        assert offsets[-1, -1] == len(inputs)
        for number in range(len(recordings)):
            found = [inputs[start:stop].tolist() for start, stop in pairwise(offsets[number])]
            assert found == per_step(recordings, number, steps, step_us)

    def test_none_at_all_can_be_binned(self):
        offsets, inputs = drawn()[:0].binned(4, 100)
        assert (offsets.shape, inputs.shape) == ((0, 5), (0,))

    def test_frames_count_events(self):
        recordings, expected = drawn(), np.zeros((6, HEIGHT, WIDTH, 2), int)
        which = np.repeat(np.arange(6), np.diff(recordings.offsets))
        np.add.at(expected, (which, recordings.y, recordings.x, recordings.p), 1)
        np.testing.assert_array_equal(recordings.frames(), expected)
        assert recordings.shape == expected.shape
        assert (recordings.ndim, recordings.frames().dtype) == (4, np.uint8)

    def test_more_events_than_8_bits_hold_are_255(self):
        many = Recordings(*np.zeros((4, 300), int), np.array([0, 300]), 1, 1)
        assert many.frames().tolist() == [[[[255, 0]]]]

    @pytest.mark.parametrize(
        "which",
        [slice(2, 5), slice(None, None, 2), slice(0, 0), np.array([4, 0, 4]), np.arange(6) % 3 == 1],
    )
    def test_they_are_taken_apart_like_an_array(self, which):
        recordings = drawn()
        np.testing.assert_array_equal(recordings[which].frames(), recordings.frames()[which])
        numbers = np.arange(6)[which]
        for place, number in enumerate(numbers):
            start, stop = recordings.offsets[number : number + 2]
            first, last = recordings[which].offsets[place : place + 2]
            np.testing.assert_array_equal(recordings[which].t_us[first:last], recordings.t_us[start:stop])

    def test_pieces_are_all_of_them_in_order(self, monkeypatch):
        monkeypatch.setattr("fspinn.datasets.events._PIECE_BYTES", 2 * HEIGHT * WIDTH * 2)
        pieces = list(datasets.in_pieces(drawn()))
        assert [len(piece) for piece in pieces] == [2, 2, 2]
        np.testing.assert_array_equal(np.concatenate(pieces), drawn().frames())

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (
                {"x": [0, 3]},
                "x: 3 of event 0 of recording 1 is outside the sensor of 2x3 pixels (height x width); corr",
            ),
            ({"y": [-1, 0]}, "y: -1 of event 0 of recording 0 is outside the sensor of 2x3 pixels"),
            (
                {"p": [1, 2]},
                "p: 2 of event 0 of recording 1 is not a polarity, 0 for OFF or 1 for ON; correct",
            ),
            ({"t_us": [-2, 5]}, "t_us: -2 of event 0 of recording 0 is before the start of the recording"),
            (
                {"t_us": [5, 4], "offsets": [0, 2]},
                "t_us: time goes back at event 1 of recording 0, from 5 to 4 us; sort the events of each",
            ),
            ({"x": [0]}, "events: 1 x, 2 y, 2 p, 2 t_us; give one of each per event"),
            ({"x": [0.5, 1.0]}, "x: float64 of shape (2,); give whole numbers, one per event"),
            ({"offsets": [0, 2, 1, 2]}, "offsets: do not rise from 0 to the 2 events; give where each"),
            ({"offsets": [0, 1]}, "offsets: do not rise from 0 to the 2 events"),
            ({"offsets": [1, 2]}, "offsets: do not rise from 0 to the 2 events"),
            ({"width": 0}, "width: 0 pixels are not a sensor; give 1 to 16384"),
            ({"height": 2**15}, "height: 32768 pixels are not a sensor"),
        ],
    )
    def test_what_is_wrong_is_said(self, changes, words):
        given = {**ONE, **changes}
        arrays = {
            name: np.array(value) if isinstance(value, list) else value for name, value in given.items()
        }
        with pytest.raises(DataError) as caught:
            Recordings(**arrays)
        assert str(caught.value).startswith(words)
        assert "\n" not in str(caught.value)

    def test_time_starts_again_with_each_recording(self):
        arrays = {name: np.array(value) for name, value in ONE.items() if isinstance(value, list)}
        kept = Recordings(**{**arrays, "t_us": np.array([5, 0])}, height=2, width=3)
        assert kept.t_us.tolist() == [5, 0]


class TestFiles:
    def test_recordings_are_read_and_split_like_images(self, npz):
        arrays = halves()
        data = datasets.load(npz(**arrays))
        assert data.image_shape == (HEIGHT, WIDTH, 2)
        assert (len(data.train), len(data.validation), len(data.test)) == (27, 5, 8)
        parts = [data.train, data.validation, data.test]
        assert sum(int(part.images.frames().sum()) for part in parts) == len(arrays["x"])
        assert all(isinstance(part.images, Recordings) for part in parts)
        right = data.test.images.frames()[:, :, 3:].any(axis=(1, 2, 3))
        np.testing.assert_array_equal(right, data.test.labels)

    def test_the_sensor_is_as_large_as_events_are_seen_where_nothing_is_said(self, npz):
        arrays = {name: value for name, value in halves().items() if name not in ("height", "width")}
        data = datasets.load(npz(**arrays))
        assert data.image_shape == (HEIGHT, WIDTH, 2)

    def test_a_test_set_of_its_own_shares_the_sensor(self, npz):
        names = ("x", "y", "p", "t", "offsets", "labels")
        train, test = halves(), halves(10, seed=1)
        arrays = {f"train_{name}": train[name] for name in names}
        arrays |= {f"test_{name}": test[name] for name in names}
        arrays["test_x"] = np.minimum(arrays["test_x"], 4)
        data = datasets.load(npz(**arrays))
        assert (len(data.test), data.test.images.shape) == (10, (10, HEIGHT, WIDTH, 2))

    def test_names_of_classes_and_groups_are_kept(self, npz):
        arrays = {**halves(), "class_names": np.array(["left", "right"]), "groups": np.arange(40) // 4}
        data = datasets.load(npz(**arrays))
        assert data.class_names == ("left", "right")
        assert not set(data.train.groups) & set(data.test.groups)

    def test_the_checksum_is_of_every_event(self, npz):
        arrays = halves()
        first = datasets.load(npz(**arrays)).checksum
        later = {**arrays, "t": arrays["t"] + 1}
        assert datasets.load(npz(**arrays)).checksum == first
        assert datasets.load(npz(**later)).checksum != first

    def test_recordings_without_labels_are_read_to_be_answered(self, npz):
        arrays = {name: value for name, value in halves().items() if name != "labels"}
        (source,) = datasets.read_images(npz(**arrays))
        assert source.images.shape == (40, HEIGHT, WIDTH, 2)
        assert len(source.part(3, 5)) == 2

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"labels": None}, ": holds no array 'labels'"),
            (
                {"offsets": None},
                ": holds events (x, y, p, t), but no array 'offsets'; give where each recording",
            ),
            ({"width": 3}, ": x: 5 of event 0 of recording 1 is outside the sensor of 5x3 pixels"),
            (
                {"x": np.full(2000, np.nan), "width": None},
                ": x: float64 of shape (2000,); give whole numbers",
            ),
            ({"width": np.array([3, 4])}, ": width: int64 of shape (2,); give the sensor's pixels"),
            ({"labels": np.arange(39) % 2}, ": labels: 39 labels for the 40 recordings of"),
            ({"p": 2 * halves()["p"]}, " is not a polarity, 0 for OFF or 1 for ON"),
            ({"t": halves()["t"][::-1]}, ": t: time goes back at event "),
            ({"offsets": np.arange(41)}, ": offsets: do not rise from 0 to the 2000 events"),
            (
                {"test_" + name: halves()[name] for name in "xypt"},
                ": holds events (x, y, p, t), but no array",
            ),
            (
                {f"test_{name}": halves()[name] for name in ("x", "y", "p", "t", "offsets")},
                ": holds events to test with, but no array 'test_labels'; save it too",
            ),
            (
                {f"test_{name}": -halves()[name] for name in ("x", "y", "p", "t", "offsets", "labels")},
                ": test_offsets: do not rise",
            ),
            (
                {"p": None},
                ": holds x, y, t of events, but no array 'p'; give x, y, p (1 ON, 0 OFF) and t (micro",
            ),
            ({"t": None, "offsets": None}, ": holds x, y, p of events, but no array 't'; give"),
            ({"x": None}, ": holds y, p, t of events, but no array 'x'; give"),
            ({"y": None, "t": None}, ": holds x, p of events, but no array 'y', 't'; give"),
            (
                {f"test_{name}": halves()[name] for name in ("x", "y", "t", "offsets", "labels")},
                ": holds test_x, test_y, test_t of events, but no array 'p'; give",
            ),
        ],
    )
    def test_what_is_wrong_is_said(self, npz, changes, words):
        arrays = {name: value for name, value in {**halves(), **changes}.items() if value is not None}
        path = npz(**arrays)
        message = refusal(path)
        assert words in message
        assert message.startswith(str(path))

    @pytest.mark.parametrize("asked", [{"resize": (8, 8)}, {"grey": True}, {"length": 5}])
    def test_what_is_for_images_or_signals_is_refused(self, npz, asked):
        path, (name,) = npz(**halves()), asked
        message = refusal(path, ConfigError, **asked)
        assert message == f"{name}: {path} holds recordings of events; leave --{name} out"
        with pytest.raises(ConfigError, match="holds recordings of events"):
            datasets.read_images(path, Reading(**asked))

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
    @given(draw=st.data())
    def test_whatever_is_in_the_arrays_they_are_read_or_refused_in_one_line(self, npz, draw):
        arrays = halves(12)
        if draw.draw(st.booleans()):
            del arrays["height"], arrays["width"]
        name = draw.draw(st.sampled_from(sorted(arrays)))
        numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 700)
        kinds = st.sampled_from(["int64", "uint8", "float64", "bool", "U3"])
        values = draw.draw(st.lists(numbers, max_size=5) | st.just(np.asarray(arrays[name]).tolist()))
        arrays[name] = np.array(values).astype(draw.draw(kinds))
        path = npz(**arrays)
        said = []
        try:
            assert datasets.load(path).image_shape[2] == 2
        except FspinnError as error:
            said.append(str(error))
        assert "\n" not in "".join(said)


def test_what_was_read_is_counted():
    arrays = halves()
    split = Split(recordings_of(arrays), arrays["labels"], ("left", "right"))
    counted = datasets.summary(as_dataset(split.part(np.arange(40) > 0)))
    assert counted.events["median_per_recording"] == 50
    assert counted.events["last_ms"] == arrays["t"][50:].max() / 1000
    assert counted.events["on_share"] == arrays["p"][50:].mean()
    assert counted.blank == {"train": 0, "validation": 0, "test": 0}
    twice = recordings_of(arrays)[np.array([0, 1, 0])]
    again = datasets.summary(as_dataset((twice, np.array([0, 1, 0]))))
    assert again.duplicates["train"] == 1


@pytest.mark.parametrize(("last_us", "step_us"), [(0, 1), (29, 1), (30, 2), (3000, 110), (315_109, 11_000)])
def test_time_steps_for_whole_recordings_have_two_digits(last_us, step_us):
    arrays = {name: np.array(ONE[name]) for name in ("x", "y", "p")}
    recordings = Recordings(
        **arrays, t_us=np.array([0, last_us]), offsets=np.array([0, 2]), height=2, width=3
    )
    assert recordings.step_us_for(30) == step_us
    assert last_us < 30 * step_us
