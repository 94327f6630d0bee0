"""The means of blocks of pixels are what a network sees, wherever it goes."""

import json

import naive_input
import numpy as np
import pytest
from click.testing import CliRunner
from described import Flat, changed, dense
from device import make
from exported_programs import (
    answers,
    assert_memory_is_estimated,
    build,
    model_of,
    needs_arm,
    needs_gcc,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fspinn
from fspinn.backends.c import export_c
from fspinn.backends.nir import nir_graph
from fspinn.base.errors import ConfigError
from fspinn.base.settings import from_plain
from fspinn.cli import main
from fspinn.network import Events, Network, OnOff
from fspinn.network.encoders import encoding_of, intensities, pooled
from fspinn.network.setup import Setup
from fspinn.report.plots.networks import feature
from fspinn.search import Candidate, Variant
from fspinn.search.costs import expected_costs
from fspinn.search.space import corners, space_of


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.sampled_from([0, 1, 3]), st.integers(0, 9))
@example(pool=2, rows=1, columns=3, channels=0, seed=0)
def test_a_mean_is_that_of_the_twin(pool, rows, columns, channels, seed):
    """Also where the rows are one, so that it is a signal."""
    shape = (rows * pool if rows > 1 else 1, columns * pool, channels)[: 3 if channels else 2]
    images = np.random.default_rng(seed).integers(0, 256, (2, *shape), dtype=np.uint8)
    found = pooled(images, pool)
    assert found.shape == (2, rows, columns, channels)[: found.ndim]
    for image, means in zip(
        images.reshape(2, *shape[:2], -1), found.reshape(2, rows, columns, -1), strict=True
    ):
        np.testing.assert_array_equal(means, naive_input.pooled(image, pool))


@pytest.mark.parametrize(
    ("block", "mean"),
    [([0, 0, 0, 1], 0), ([0, 0, 1, 1], 1), ([0, 1, 1, 1], 1), ([255] * 4, 255), ([254, 255] * 2, 255)],
)
def test_halves_are_rounded_up(block, mean):
    assert pooled(np.array(block, np.uint8).reshape(1, 2, 2), 2).tolist() == [[[mean]]]


def test_images_that_are_views_are_pooled_as_they_look():
    images = np.arange(2 * 4 * 6, dtype=np.uint8).reshape(2, 6, 4)
    turned = images.transpose(0, 2, 1)
    np.testing.assert_array_equal(pooled(turned, 2), pooled(images, 2).transpose(0, 2, 1))


@pytest.mark.parametrize(
    ("shape", "pool", "seen"),
    [
        ((28, 28), 2, (14, 14, 1)),
        ((28, 28), 28, (1, 1, 1)),
        ((32, 24, 3), 4, (8, 6, 3)),
        ((1, 128), 4, (1, 32, 1)),
        ((1, 90, 2), 3, (1, 30, 2)),
    ],
)
def test_layers_see_so_many_inputs(shape, pool, seen):
    assert changed(Network(), pool=pool).input_shape(shape) == seen
    split = Network.patches(4, field=(1, 1), cells=1, contrast=OnOff(), pool=pool)
    assert split.input_shape(shape) == (*seen[:2], 2 * seen[2])
    assert Network.supervised((8, 4), pool=pool).input_shape(shape, 1) == (1, 1, 8)


def test_a_contrast_is_taken_of_the_means():
    network = changed(dense(5), pool=2, contrast="on-off")
    images = np.random.default_rng(0).integers(0, 256, (2, 6, 8), dtype=np.uint8)
    expected = [naive_input.encoded(Flat(Setup(network)), image) for image in images]
    np.testing.assert_array_equal(intensities(images, encoding_of(network)), expected)


@pytest.mark.parametrize(
    ("shape", "pool", "words"),
    [
        ((28, 28), 3, "blocks of 3 x 3 do not fill 28 x 28 pixels; make it 2"),
        ((28, 28), 255, "blocks of 255 x 255 do not fill 28 x 28 pixels; make it 28"),
        ((4, 9, 3), 2, "blocks of 2 x 2 do not fill 4 x 9 pixels; make it 1"),
        ((1, 128), 6, "blocks of 1 x 6 do not fill 1 x 128 pixels; make it 4"),
    ],
)
def test_blocks_that_do_not_fill_a_sample_are_refused(shape, pool, words):
    network = changed(dense(5), pool=pool)
    for asked in (network.input_shape, network.geometries):
        with pytest.raises(ConfigError, match=f"^pool: {words}$"):
            asked(shape)
    with pytest.raises(ConfigError, match=f"^pool: {words}$"):
        pooled(np.zeros((1, *shape), np.uint8), pool)


def test_what_does_not_fit_is_refused_before_learning():
    data = np.zeros((40, 6, 6), np.uint8), np.arange(40) % 2
    with pytest.raises(ConfigError, match=r"^pool: blocks of 4 x 4 do not fill 6 x 6 pixels; make it 3$"):
        fspinn.train(changed(dense(5), pool=4), data, progress=False)


@pytest.mark.parametrize("pool", [0, -1, 256, 1.5])
def test_a_block_has_from_1_to_255_pixels_along_an_edge(pool):
    with pytest.raises(ConfigError, match=r"^pool: "):
        Network(pool=pool)


def test_events_have_no_means():
    with pytest.raises(ConfigError, match=r"^pool: events have no intensities that a mean could be taken of"):
        Network.patches(4, encoder=Events(), pool=2)


@pytest.mark.parametrize("network", [dense(8, pool=2), Network.patches(4, field=2, cells=2, pool=2)])
def test_a_network_learns_the_same_from_images_that_were_pooled_before(network):
    random = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = random.integers(0, 120, (60, 8, 8)) + 130 * (np.arange(8) // 4 == labels[:, None, None])
    images = images.astype(np.uint8)
    alone = changed(network, pool=1)
    whole, small = (
        fspinn.train(one, (shown, labels), progress=False).model
        for one, shown in ((network, images), (alone, pooled(images, 2)))
    )
    np.testing.assert_array_equal(whole.layers[0].weights.values, small.layers[0].weights.values)
    np.testing.assert_array_equal(
        fspinn.predict(whole, images).spike_counts, fspinn.predict(small, pooled(images, 2)).spike_counts
    )
    assert whole.image_shape == (8, 8)


# --- where a network goes -----------------------------------------------------------------------------


def run(*arguments):
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module", params=["dense", "field"])
def file(request, tmp_path_factory):
    """A model of digits that was trained and quantized on the command line, and sees 4 x 4 means."""
    folder = tmp_path_factory.mktemp("pooled")
    net, small = folder / "net.h5", folder / "small.h5"
    (folder / "pooled.toml").write_text("pool = 2\n")
    field, prune = ((), ["--prune"]) if request.param == "dense" else (("--field", 3, "--cells", 2), [])
    how = ("--neurons", 9, "--passes", 2, "--seed", 1, "--config", folder / "pooled.toml")
    run("train", "--dataset", "digits", *how, *field, "-o", net)
    run("quantize", net, "--weights", "UQ0.3", "--state", "12 bits", *prune, "-o", small)
    return small


def test_a_file_keeps_it_and_says_so(file):
    model = fspinn.load(file)
    assert (model.network.pool, model.image_shape) == (2, (8, 8))
    assert model.layers[0].inputs == (16 if model.network.layers[0].field is None else 9)
    said = run("info", file)
    assert "(8 x 8 pixels, means of 2 x 2)" in said or "images of 8 x 8 pixels, means of 2 x 2, " in said
    assert json.loads(run("info", file, "--json"))["network"]["pool"] == 2


@needs_gcc
def test_c_answers_test_images_spike_for_spike(file, tmp_path):
    model, test = fspinn.load(file), fspinn.datasets.load("digits").test
    run("export", file, "--target", "c", "-o", tmp_path / "out")
    counts, classes = answers(build(tmp_path / "out"), test.images, model.network.features)
    expected = fspinn.predict(model, test.images)
    np.testing.assert_array_equal(counts, expected.spike_counts)
    np.testing.assert_array_equal(classes, expected.classes)
    assert fspinn.evaluate(model, test).accuracy > 0.3


@needs_arm
def test_a_cortex_m4_answers_from_the_memory_that_was_estimated(file, tmp_path):
    model = fspinn.load(file)
    export_c(model, tmp_path / "out", fspinn.datasets.load("digits").test.images[:3])
    output = make(tmp_path / "out", "test-cortex-m4")
    assert "equal to the integer engine" in output
    assert_memory_is_estimated(
        model, tmp_path / "out", output, flash=0.07
    )  # of so small a network all is code


def test_pictures_have_the_shape_of_the_means(file):
    model, image = fspinn.load(file), fspinn.datasets.load("digits").test.images[3]
    if model.network.layers[0].field is None:
        assert feature(model, 2).shape == (4, 4)
        assert fspinn.plots.receptive_fields(model).axes
        return
    assert fspinn.plots.spike_map(model, image).axes
    picture, field, *_ = fspinn.plots.spike_raster(model, image, position=(1, 0)).axes
    means = pooled(image[None], 2)[0]
    np.testing.assert_array_equal(picture.images[0].get_array(), means)
    np.testing.assert_array_equal(field.images[0].get_array(), means[1:4, 0:3])


def test_nir_says_how_samples_become_spikes(tmp_path):
    pytest.importorskip("nir")
    network = changed(dense(5, weight_norm=1.0), pool=2)
    graph = nir_graph(model_of(network, pixels=(8, 6)))
    assert graph.nodes["input"].input_type["input"].tolist() == [12]
    assert from_plain(Network, json.loads(graph.metadata["network"])) == network


def test_a_search_can_vary_it():
    space = space_of({"neurons": [10, 20], "pool": [1, 2, 4]}, Setup())
    assert {one.network.pool for one in corners(space).trainings()} == {1, 2, 4}
    candidates = [Candidate(one, Variant("UQ0.4", "12 bits")) for one in space.trainings()]
    hardware = fspinn.memmodel.load_hardware("mcu-m4f")
    costs = expected_costs(candidates, hardware, (28, 28), 10, 0.13, 1000)
    alone = [expected_costs([one], hardware, (28, 28), 10, 0.13, 1000)[0] for one in candidates]
    assert costs == alone
    assert costs[0].memory_bits > 3 * costs[1].memory_bits
    assert [str(one).split(", UQ")[0] for one in candidates[:2]] == ["10 neurons", "10 neurons, pool 2"]


def test_a_search_leaves_out_what_does_not_fill_the_images():
    result = fspinn.find_smallest(
        fspinn.datasets.load("digits"),
        accuracy=0.3,
        network=dense(4),
        space={"neurons": [4], "pool": [2, 3], "duration_ms": 50.0},
        progress=False,
    )
    assert {trial.candidate.network.pool for trial in result.trials} == {2}
