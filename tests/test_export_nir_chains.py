"""Layers without inhibition as graphs of NIR, read back and run by the equations of the nodes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from described import tensors_of

from fspinn.backends.nir import export_nir
from fspinn.backends.numba import engine
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.settings import from_plain
from fspinn.cli import main
from fspinn.lowering.compiler import answering_plan
from fspinn.model import readout as readouts
from fspinn.model import store
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import LayerTensors
from fspinn.network import FirstSpike, Fixed, NoInhibition, OnOff, Poisson, Ranked
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder
from fspinn.network.layers import Layer, Neuron
from fspinn.quant import Format

nir = pytest.importorskip("nir")

WEIGHTS, STATE, THETA = (Format.parse(name) for name in ("Q1.6", "Q7.6", "Q3.6"))
CLASSES = 3
RATES = Poisson(rate_norm_hz=4000.0)
SIGNALS = (1, 15, 2)


class Interpreter:
    """A row of NIR's nodes in time steps of dt, an event being an impulse; in each, every node once.

    A LIF, ``tau dv/dt = (v_leak - v) + R I``, decays towards its leak voltage between events and is moved by
    ``R w / tau`` by an impulse of w; an IF, ``dv/dt = R I``, by ``R w``. Both spike above their thresholds.
    Then v is ``v - v_threshold`` (Pedersen et al.) or `v_reset` (nir since 1.0.6).
    """

    def __init__(self, graph, reset):
        self.graph, self.reset, self.dt = graph, reset, float(graph.metadata["dt_s"])
        following, name = dict(graph.edges), "input"
        assert len(following) == len(graph.edges) == len(graph.nodes) - 1
        self.names = []
        while (name := following.get(name)) is not None:
            self.names.append(name)
        self.v = {n: np.zeros(tuple(graph.nodes[n].output_type["output"])) for n in self.names}

    def step(self, events):
        """Take what enters, and return what leaves each node."""
        left = {}
        for name in self.names:
            node = self.graph.nodes[name]
            assert tuple(node.input_type["input"]) == events.shape
            events = getattr(self, type(node).__name__.lower())(name, node, events)
            assert tuple(node.output_type["output"]) == events.shape
            left[name] = events
        return left

    def linear(self, _, node, x):
        return node.weight.astype(float) @ x

    def affine(self, _, node, x):
        return node.weight.astype(float) @ x + node.bias

    def flatten(self, _, node, x):
        assert (node.start_dim, node.end_dim) == (0, -1)
        return x.reshape(-1)

    def conv1d(self, _, node, x):
        assert (int(node.padding), int(node.dilation), int(node.groups)) == (0, 1, 1)
        seen = np.lib.stride_tricks.sliding_window_view(x, node.weight.shape[2], axis=1)[:, :: node.stride]
        return np.einsum("cxa,nca->nx", seen, node.weight.astype(float)) + node.bias[:, None]

    def conv2d(self, _, node, x):
        assert (tuple(node.padding), tuple(node.dilation), node.groups) == ((0, 0), (1, 1), 1)
        seen = np.lib.stride_tricks.sliding_window_view(x, node.weight.shape[2:], axis=(1, 2))
        seen = seen[:, :: node.stride[0], :: node.stride[1]]
        return np.einsum("cyxab,ncab->nyx", seen, node.weight.astype(float)) + node.bias[:, None, None]

    def sumpool2d(self, _, node, x):
        assert (node.padding == 0).all()
        seen = np.lib.stride_tricks.sliding_window_view(x, tuple(node.kernel_size), axis=(1, 2))
        return seen[:, :: node.stride[0], :: node.stride[1]].sum(axis=(3, 4))

    def threshold(self, _, node, x):
        return (x > node.threshold).astype(float)

    def lif(self, name, node, x):
        decayed = node.v_leak + (self.v[name] - node.v_leak) * np.exp(-self.dt / node.tau)
        return self.spikes(name, node, decayed + node.r / node.tau * x)

    def if_(self, name, node, x):
        return self.spikes(name, node, self.v[name] + node.r * x)

    def spikes(self, name, node, v):
        z = v > node.v_threshold
        after = v - node.v_threshold if self.reset == "v - v_threshold" else node.v_reset
        self.v[name] = np.where(z, after, v)
        return z.astype(float)

    def output(self, _, node, x):
        return x


setattr(Interpreter, "if", Interpreter.if_)


def free(neurons, field=None, cells=(1, 1), stride=1, threshold=1.0, tau_m_ms=12.0, **more):
    neuron = Neuron(threshold, tau_m_ms, weight_norm=1.0, **more)
    return Layer(neurons, field, stride, cells, neuron, NoInhibition(), Fixed())


def model_of(*layers, image_shape=(6, 7), encoder=RATES, quantized=False, **more):
    """A network with random weights, of both signs, and thresholds that differ."""
    random = np.random.default_rng(3)
    network, tensors = Network(encoder, layers, duration_ms=40.0, **more), []
    for number, layer in enumerate(layers):
        inputs = layer.fan_in(*network.input_shape(image_shape, number))
        weights = random.uniform(-0.4, 0.7, (inputs, layer.neurons))
        formats = (WEIGHTS, STATE, THETA) if quantized else ()
        tensors.append(tensors_of(weights, 0.2 * random.random(layer.neurons), *formats))
    table, bias = random.standard_normal((network.features, CLASSES)), random.standard_normal(CLASSES)
    readout = Readout("linear", table.astype(np.float32), bias=bias.astype(np.float32))
    return Model(network, image_shape, tuple(tensors), readout)


def images_for(model, count=3):
    random = np.random.default_rng(4)
    images = random.integers(0, 256, (count, *model.image_shape), dtype=np.uint8)
    images[random.random(images.shape) < 0.3] = 0
    return images


def written(model, folder):
    export_nir(model, folder / "net.nir")
    return nir.read(folder / "net.nir")


def answers(model):
    """Input spikes of some images, and what the fast engine answers to them in floats."""
    doubles = [
        LayerTensors.of_floats(t.weights.values.astype(float), t.theta.values.astype(float))
        for t in model.layers
    ]
    plan = answering_plan(model.network, doubles, model.image_shape)
    shown = BatchEncoder(plan.encoding).encode(images_for(model), 5, INFERENCE_SPIKES, 0)
    return plan, shown, engine.respond(plan, shown)


def found_in(graph, model, plan, shown, reset="v - v_threshold"):
    """Output spikes (presentation, step, neuron, position), and sums of what leaves the graph."""
    spikes, sums = [], []
    shape, last = tuple(graph.nodes["input"].input_type["input"]), f"neurons_{len(plan.layers)}"
    for m in range(len(shown)):
        interpreter, total = Interpreter(graph, reset), np.zeros(CLASSES)
        for t in range(shown.steps):
            events = np.zeros(np.prod(shape))
            events[shown.inputs[shown.offsets[m, t] : shown.offsets[m, t + 1]]] = 1
            if len(shape) > 1:
                events = np.moveaxis(events.reshape(*shape[1:], shape[0]), -1, 0)
            left = interpreter.step(events)
            total += left["output"]
            at = np.argwhere(left[last].reshape(plan.layers[-1].neurons, -1))
            spikes += [(m, t, neuron, position) for neuron, position in at.tolist()]
        sums.append(total)
    return sorted(spikes), np.array(sums)


def expected_from(response):
    of = np.repeat(np.arange(len(response.spike_counts)), response.spike_counts.sum(axis=1))
    columns = of, response.spike_steps, response.spike_neurons, response.spike_positions
    return sorted(zip(*(c.tolist() for c in columns), strict=True))


CHAINS = {
    "one": [free(9)],
    "without leak": [free(9, tau_m_ms=None)],
    "three": [free(9), free(7, tau_m_ms=None), free(5, threshold=0.5)],
    "field": [free(4, (3, 3), (2, 2))],
    "cells of different sizes at the end": [free(4, (3, 3), (3, 2), tau_m_ms=None)],
    "field and dense": [free(4, (3, 3), (2, 1), threshold=1.5), free(6, threshold=0.7)],
    "cells of one position": [free(4, (2, 2), (3, 3), stride=2), free(6, threshold=0.7)],
    "two fields": [free(4, (3, 3), (4, 5), threshold=1.5), free(3, (2, 2), (1, 2)), free(5, threshold=0.5)],
    "field of everything": [free(6, (6, 7)), free(4, (1, 1), threshold=0.5)],
    "signals": [free(4, (1, 4), (1, 4)), free(3, (1, 2), (1, 3)), free(5, threshold=0.5)],
    "field of signals": [free(4, (1, 4), (1, 5), stride=2)],
}


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("name", CHAINS)
def test_a_graph_that_was_written_and_read_spikes_and_scores_as_the_network(tmp_path, name, quantized):
    shape = SIGNALS if "signals" in name else (6, 7)
    model = model_of(*CHAINS[name], quantized=quantized, image_shape=shape)
    graph = written(model, tmp_path)
    plan, shown, response = answers(model)
    spikes, sums = found_in(graph, model, plan, shown, graph.metadata["reset"])
    assert len(spikes) > 20
    assert spikes == expected_from(response)
    np.testing.assert_allclose(sums, readouts.scores(model.readout, response.spike_counts), atol=1e-9)


@pytest.mark.parametrize(
    "more",
    [
        {"encoder": FirstSpike(relative_to="white"), "contrast": OnOff()},
        {"image_shape": (6, 7, 3)},
    ],
)
def test_channels_of_the_input_come_first(tmp_path, more):
    model = model_of(free(4, (3, 3), (2, 5), threshold=0.4), free(6, threshold=0.3), **more)
    graph = written(model, tmp_path)
    assert graph.nodes["input"].input_type["input"].tolist() == [2 if "contrast" in more else 3, 6, 7]
    plan, shown, response = answers(model)
    spikes, _ = found_in(graph, model, plan, shown)
    assert len(spikes) > 5
    assert spikes == expected_from(response)


def test_a_reader_that_resets_to_a_constant_loses_what_is_above_the_threshold(tmp_path):
    model = model_of(*CHAINS["one"])
    graph = written(model, tmp_path)
    plan, shown, response = answers(model)
    assert len(found_in(graph, model, plan, shown, "v_reset")[0]) < response.spike_counts.sum()


def test_tensors_are_the_values_of_the_network(tmp_path):
    model = model_of(*CHAINS["field and dense"], quantized=True)
    nodes = written(model, tmp_path).nodes
    names = "input weights_1 neurons_1 cells_1 any_1 flatten_2 weights_2 neurons_2 readout output"
    assert set(nodes) == set(names.split())
    field, dense = (layer.weights.values for layer in model.layers)
    np.testing.assert_array_equal(nodes["weights_1"].weight.transpose(2, 3, 1, 0).reshape(9, 4), field)
    rows = nodes["weights_2"].weight.T.reshape(4, 2, 1, 6).transpose(1, 2, 0, 3).reshape(8, 6)
    np.testing.assert_array_equal(rows, dense)
    for number, shape in ((1, (4, 4, 5)), (2, (6,))):
        node = nodes[f"neurons_{number}"]
        assert {a.shape for a in (node.tau, node.r, node.v_leak, node.v_threshold, node.v_reset)} == {shape}


def test_the_file_says_what_a_graph_cannot(tmp_path):
    model = model_of(free(4, (3, 3)), contrast=OnOff())
    said = written(model, tmp_path).metadata
    assert (float(said["dt_s"]), float(said["duration_s"])) == (0.001, 0.04)
    assert (said["reset"], said["readout"]) == ("v - v_threshold", "linear")
    assert said["input_axes"] == "channel, row, column"
    assert from_plain(Network, json.loads(said["network"])) == model.network
    assert "spikes_per_step" not in said
    dense = written(model_of(free(4)), tmp_path).metadata
    assert dense["input_axes"] == "row, column, channel, in one"


def test_the_command_says_what_a_spike_does(tmp_path):
    store.save(model_of(free(4), free(3)), tmp_path / "net.h5")
    paths = [str(tmp_path / "net.h5"), "--target", "nir", "-o", str(tmp_path / "net.nir")]
    result = CliRunner().invoke(main, ["export", *paths])
    assert result.exit_code == 0, result.output
    assert "its metadata say that a spike takes the threshold off" in result.stdout
    assert nir.read(tmp_path / "net.nir").nodes["weights_2"].weight.shape == (3, 4)


LAST = Layer(3, neuron=Neuron(weight_norm=1.0), inhibition=Ranked(), adaptation=Fixed())


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            [free(4, (3, 3), (3, 2)), free(3)],
            "cells: NIR cannot express 3 x 2 cells of 4 x 5 positions, as these differ in size; use "
            "numbers of cells that divide those of positions$",
        ),
        (
            [free(4), free(3, refractory_ms=2.0)],
            r"refractory_ms: NIR cannot express 2\.0; train a .* with 0$",
        ),
        (
            [free(4, (3, 2))],
            "field: nir mistakes fields that are not square, such as 3 x 2; use a square one, or none$",
        ),
        (
            [free(4), LAST],
            "layers: NIR cannot express inhibition in a chain; use one layer, or 'none' in all of them$",
        ),
    ],
)
def test_what_nir_cannot_express_is_refused(tmp_path, layers, words):
    with pytest.raises(ConfigError, match=words):
        export_nir(model_of(*layers), tmp_path / "net.nir")
    assert list(tmp_path.iterdir()) == []
