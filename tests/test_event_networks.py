"""Networks that see events: learned, evaluated, refused, priced, and the same in every engine."""

import json

import naive
import naive_integers
import numpy as np
import pytest
from backend_runners import FORMATS
from click.testing import CliRunner
from described import changed, flat
from recorded import HEIGHT, WIDTH, drawn, halves, per_step, recordings_of
from runners import answering, brian2, fast

import fspinn
from fspinn.backends.c.export import export_c
from fspinn.base.errors import ConfigError, FormatError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.cli import main
from fspinn.datasets.arrays import as_dataset
from fspinn.memmodel import Size, expected_workloads
from fspinn.memmodel.footprint import footprint
from fspinn.network import Events, Network, OnOff
from fspinn.network.encoders import BatchEncoder, encoding_of
from fspinn.quant.formats import quantize_values, to_integers
from fspinn.search.linear import linear_classifiers

EVENTS = Network.patches(4, field=3, cells=2, encoder=Events(), duration_ms=9.0)
COLUMN = "--field 3 --cells 2 --set encoder=events --set duration_ms=9"
FIELD = "--set field=3 --set cells=2 --set encoder=events --set duration_ms=9"
IMAGES = np.arange(40 * 60, dtype=np.uint8).reshape(40, 5, 6, 2), np.arange(40) % 2


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("events") / "halves.npz"
    np.savez(path, **halves())
    return fspinn.datasets.load(path)


@pytest.fixture(scope="module")
def model(data):
    return fspinn.train(EVENTS, data, readout="linear", progress=False).model


@pytest.fixture
def run(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    np.savez("images.npz", images=IMAGES[0], labels=IMAGES[1])

    def typed(words):
        return CliRunner().invoke(main, [data.name if word == "EVENTS" else word for word in words.split()])

    return typed


class TestSpikes:
    def test_the_encoder_bins_recordings(self):
        recordings = drawn()
        spikes = BatchEncoder(encoding_of(EVENTS)).encode(recordings, 5, INFERENCE_SPIKES, 3)
        offsets, inputs = recordings.binned(9, 1000)
        np.testing.assert_array_equal(spikes.offsets, offsets)
        np.testing.assert_array_equal(spikes.inputs, inputs)
        assert (spikes.seed, spikes.first, spikes.steps) == (5, 3, 9)
        counts = spikes.counts(HEIGHT * WIDTH * 2)
        steps, which = spikes.events
        assert counts.sum() == len(inputs)
        one = inputs[offsets[2, 0]]
        assert counts[2, one] == ((steps // 9 == 2) & (which == one)).sum() > 0

    def test_inputs_that_are_not_used_do_not_spike(self):
        used = np.arange(HEIGHT * WIDTH * 2) % 3 > 0
        several = (BatchEncoder(encoding_of(EVENTS, mask)) for mask in (None, used))
        (steps, inputs), (few_steps, few_inputs) = (one.encode(drawn(), 7, 1).events for one in several)
        assert 0 < len(few_inputs) < len(inputs)
        np.testing.assert_array_equal(few_inputs, inputs[used[inputs]])
        np.testing.assert_array_equal(few_steps, steps[used[inputs]])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestEngines:
    """Fields, dense layers and inhibitions; floats and Brian2 as the twin, integers as theirs."""

    CASES = (
        {"field": (2, 3), "stride": 2, "cells": (2, 1), "inhibition": "first", "tau_m_ms": None},
        {"field": (2, 3), "stride": 1, "cells": (1, 2), "inhibition": "lateral", "tau_m_ms": 9.0},
        {"inhibition": "lateral"},
    )

    @pytest.mark.parametrize("chosen", CASES)
    def test_all_answer_as_their_twins_do(self, chosen):
        settings = {
            "neurons": 4,
            "encoder": "events",
            "threshold": 1.2,
            "weight_norm": 1.0,
            "dt_ms": 0.5,
            "duration_ms": 8.0,
        }
        network = changed(flat(encoder="events"), **settings, **chosen)
        recordings, shape, formats = drawn(4, last_us=12_000), (HEIGHT, WIDTH, 2), FORMATS[0]
        shown = [per_step(recordings, number, 16, 500) for number in range(4)]
        random = np.random.default_rng(0)
        fan_in = network.network.layers[0].fan_in(*shape)
        weights = quantize_values(random.random((fan_in, 4)), formats.weights)
        theta = quantize_values(0.2 * random.random(4), formats.theta)

        expected, first_steps, activity = naive.respond_to(
            network, weights.astype(np.float32), theta.astype(np.float32), shown, shape
        )
        assert expected.sum() > 3
        assert expected[1].sum() == 0
        for engine, real in ((fast, np.float32), (brian2, np.float64)):
            found = engine.answer(network, weights.astype(real), theta.astype(real), recordings)
            np.testing.assert_array_equal(found.spike_counts, expected)
            np.testing.assert_array_equal(found.first_steps, first_steps)
            assert found.activity == (activity,)

        (layer,) = answering(network, weights, theta, formats, shape=shape).layers
        offsets = to_integers(theta, formats.theta)
        expected, first_steps, activity, *_ = naive_integers.respond_to(
            network, layer, formats, offsets, shown, shape
        )
        found = fast.answer(network, weights, theta, recordings, formats=formats)
        np.testing.assert_array_equal(found.spike_counts, expected)
        np.testing.assert_array_equal(found.first_steps, first_steps)
        assert found.activity == (activity,)


class TestInPython:
    def test_a_column_learns_which_half_moves(self, model, data):
        measured = fspinn.evaluate(model, data.test)
        assert measured.accuracy == 1
        answer = fspinn.predict(model, data.test.images[:3])
        np.testing.assert_array_equal(answer.classes, measured.predictions[:3])
        pair = fspinn.predict(model, (data.test.images, data.test.labels))
        np.testing.assert_array_equal(pair.classes, measured.predictions)
        assert fspinn.evaluate(model, (data.test.images, data.test.labels)).accuracy == 1

    def test_a_dense_layer_learns_too(self, data):
        network = Network.dense(12, encoder=Events(), dt_ms=0.5, duration_ms=9.0)
        model = fspinn.train(network, data, progress=False).model
        assert fspinn.evaluate(model, data.test).accuracy == 1

    def test_integers_answer_as_well(self, model, data, tmp_path):
        small = fspinn.quantize(model, weights="UQ0.4", state="12 bits", readout="Q1.3", data=data)
        assert fspinn.evaluate(small, data.test).accuracy == 1
        fspinn.save(small, tmp_path / "small.h5")
        again = fspinn.load(tmp_path / "small.h5")
        assert again.network.encoder == Events()
        with pytest.raises(FormatError, match=r"^encoder: events are not read by the C program yet"):
            export_c(small, tmp_path / "out")

    def test_a_pair_of_recordings_and_labels_is_a_data_set(self):
        arrays = halves()
        result = fspinn.train(EVENTS, (recordings_of(arrays), arrays["labels"]), progress=False)
        assert result.model.image_shape == (HEIGHT, WIDTH, 2)

    def test_tuning_and_the_linear_classifier_take_events(self, data):
        (linear,) = linear_classifiers(data, [4])
        assert linear.accuracy == 1
        tuned = fspinn.tune(EVENTS, data=data, trials=1, progress=False)
        assert tuned.best.accuracy is not None


class TestRefused:
    def test_recordings_need_the_encoder_events_and_it_needs_recordings(self, data, model):
        words = "data: these are recordings of events, which the encoder ttfs does not take; use encoder ="
        others = "these are not recordings of events, which the encoder events takes; give such, or"
        images = fspinn.train(Network.patches(4, field=3, cells=2), IMAGES, progress=False).model
        for work in (fspinn.train, lambda network, data: fspinn.tune(network, data=data, trials=1)):
            with pytest.raises(ConfigError, match=words):
                work(Network.patches(4), data)
            with pytest.raises(ConfigError, match=f"data: {others}"):
                work(EVENTS, as_dataset(IMAGES))
        with pytest.raises(ConfigError, match=words):
            fspinn.find_smallest(data, accuracy=0.6, network=Network.patches(4), progress=False)
        for ask in (fspinn.predict, fspinn.evaluate):
            with pytest.raises(ConfigError, match="images: these are recordings of events"):
                ask(images, (data.test.images, data.test.labels))
            with pytest.raises(ConfigError, match=f"images: {others}"):
                ask(model, IMAGES)

    def test_events_have_no_contrast(self):
        with pytest.raises(ConfigError, match=r"^contrast: events have no intensities"):
            Network.patches(4, encoder=Events(), contrast=OnOff())

    @pytest.mark.parametrize("dt_ms", [0.0004, 1 / 3])
    def test_time_steps_are_whole_microseconds(self, dt_ms):
        with pytest.raises(ConfigError, match=r"^dt_ms: events come in whole microseconds"):
            Network.patches(4, encoder=Events(), dt_ms=dt_ms, duration_ms=2.0)


class TestCosts:
    def test_a_network_of_events_is_online(self, model):
        size, images = (
            Size.of(model),
            Size.of_network(Network.patches(4, field=3, cells=2), fspinn.Stdp(), (HEIGHT, WIDTH, 2), 2, 32),
        )
        bits = footprint(size, False)
        assert bits["membrane"] == 12 * footprint(images, False)["membrane"]
        assert bits["input_buffer"] == HEIGHT * WIDTH * 2  # whether each has spiked in this time step
        assert size.online == size
        estimates = [fspinn.memmodel.estimate(model, online=on).memory for on in (False, True)]
        assert estimates[0] == estimates[1]

    def test_what_is_expected_is_about_what_is_counted(self, model, data):
        spikes = [len(one) for m in range(27) for one in per_step(data.train.images, m, 9, 1000)]
        mean = float(np.mean(spikes))
        work = expected_workloads(EVENTS, Size.of(model), mean / (HEIGHT * WIDTH * 2))["inference"][0]
        counted = model.activity["inference"][0]
        seen = len(data.train.images.binned(9, 1000)[1]) / 27
        assert work.input_spikes == pytest.approx(seen * 12 * 18 / 60)
        assert counted.input_spikes / 27 < work.input_spikes  # the first spike ends a position


class TestTyped:
    def test_train_evaluate_predict_plot_and_info(self, run):
        learned = run(f"train --dataset EVENTS --neurons 4 --readout linear {COLUMN}")
        assert (learned.exit_code, learned.stderr) == (0, "")
        measured = run("evaluate net.h5 --json")
        assert json.loads(measured.stdout)["accuracy"] == 1
        answered = run("predict net.h5 EVENTS --json")
        assert len(json.loads(answered.stdout)["images"]) == 40
        for picture in ("spike-map", "spike-raster", "receptive-fields"):
            drawn = run(f"plot {picture} net.h5 -o out.svg")
            assert drawn.exit_code == 0, drawn.stderr
        assert "events" in run("info net.h5").stdout

    def test_a_search_finds_a_network_and_draws_its_page(self, run, tmp_path):
        np.savez("more.npz", **halves(200))
        searched = run(f"search --dataset more.npz --accuracy 0.8 --sizes 4 --seeds 1 -o out {FIELD}")
        assert searched.exit_code == 0, searched.stderr
        assert (tmp_path / "out" / "report.html").exists()
        refused = run("export out/smallest.h5 --target c -o program")
        assert refused.exit_code == 2
        assert refused.stderr.startswith("fspinn: encoder: events are not read by the C program yet; export")
        assert not (tmp_path / "program").exists()

    @pytest.mark.parametrize("more", ["", " --set encoder=events"])
    def test_time_steps_suit_the_recordings_where_none_are_given(self, run, data, more):
        learned = run(f"train --dataset EVENTS --neurons 4 --field 3 --cells 2{more}")
        last_ms = data.train.images.t_us.max() / 1000
        said = f"30 time steps for recordings of up to {last_ms:g} ms; --set changes them\n"
        assert (learned.exit_code, learned.stderr) == (0, f"fspinn: dt_ms = 0.3, duration_ms = 9: {said}")
        network = fspinn.load("net.h5").network
        assert (network.encoder, network.dt_ms, network.duration_ms) == (Events(), 0.3, 9.0)
        assert json.loads(run("evaluate net.h5 --json").stdout)["accuracy"] == 1

    def test_time_steps_that_are_given_stay(self, run):
        words = "train --dataset EVENTS --neurons 4 --field 3 --cells 2 --set dt_ms=0.5 --set duration_ms=9"
        learned = run(words)
        assert (learned.exit_code, learned.stderr) == (0, "")
        network = fspinn.load("net.h5").network
        assert (network.encoder, network.dt_ms, network.duration_ms) == (Events(), 0.5, 9.0)

    @pytest.mark.parametrize("given", ["", " --set dt_ms=0.3 --set duration_ms=9"])
    def test_a_search_looks_at_columns_of_events(self, run, given):
        np.savez("more.npz", **{**halves(200), "height": 12, "width": 12})
        searched = run(f"search --dataset more.npz --accuracy 0.7 --seeds 1 --set passes=1 -o out{given}")
        assert searched.exit_code == 0, searched.stderr
        assert ("fspinn: dt_ms = 0.3, duration_ms = 9: 30 time steps" in searched.stderr) == (not given)
        network = fspinn.load("out/smallest.h5").network
        assert (network.encoder, network.layers[0].field is not None) == (Events(), True)

    def test_data_info_counts_events(self, run):
        said = "events      50 in a recording (median), the last at "
        assert said in run("data info EVENTS").stdout
        assert json.loads(run("data info EVENTS --json").stdout)["events"]["median_per_recording"] == 50
        assert json.loads(run("data info images.npz --json").stdout)["events"] is None

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (
                "train --dataset EVENTS --field 3 --set encoder=ttfs",
                "data: these are recordings of events",
            ),
            (
                "tune --dataset EVENTS --set encoder=poisson --trials 1",
                "data: these are recordings of events",
            ),
            (
                "search --dataset EVENTS --accuracy 0.6 --set encoder=ttfs --set dt_ms=1",
                "data: these are recordings of events",
            ),
            ("train --dataset images.npz --set encoder=events", "data: these are not recordings of events"),
            ("train --dataset EVENTS --grey", "holds recordings of events; leave --grey out"),
            ("train --dataset EVENTS --set encoder=events --set contrast=on-off", "contrast: events have no"),
        ],
    )
    def test_what_does_not_fit_is_refused_before_work_starts(self, run, tmp_path, words, said):
        before = sorted(tmp_path.iterdir())
        answered = run(words)
        assert answered.exit_code == 2
        assert said in answered.stderr
        assert answered.stderr.count("\n") == 1
        assert sorted(tmp_path.iterdir()) == before
