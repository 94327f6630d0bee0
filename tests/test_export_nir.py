"""A graph of NIR, read back from its file, is the network: an interpreter that knows only NIR says so."""

import sys

import numpy as np
import pytest
from described import changed, dense
from exported_programs import images_for, model_of
from runners import fast

from fspinn.backends.nir import export_nir
from fspinn.base.errors import ConfigError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.network.encoders import input_spikes

nir = pytest.importorskip("nir")

PLAIN = dense(
    neurons=12, duration_ms=120.0, weight_norm=1.5, threshold=2.0, tau_m_ms=20.0, rate_norm_hz=900.0
)


class Interpreter:
    """A NIR graph of Linear, LIF and Delay between events on a grid: the equations of the primitives.

    Between events a LIF decays towards its leak voltage; an event of weight w is an impulse, which moves the
    potential by ``R w / tau``. A Linear passes events on at once, a Delay later. Neurons that are above their
    thresholds at one time spike one after the other, the one furthest above first, as its impulses may
    take the others back below; `at_most` of them do.
    """

    def __init__(self, graph, dt, at_most):
        self.nodes, self.edges, self.dt, self.at_most = graph.nodes, graph.edges, dt, at_most
        (self.name,) = (name for name, node in graph.nodes.items() if isinstance(node, nir.LIF))
        self.lif = graph.nodes[self.name]
        self.v = np.array(self.lif.v_leak)
        self.later = []

    def send(self, source, events, time):
        """Follow all edges from a node; returns what reaches the potentials now."""
        arrives = np.zeros_like(self.v)
        for _, target in (edge for edge in self.edges if edge[0] == source):
            node = self.nodes[target]
            if isinstance(node, nir.LIF):
                arrives += events
            elif isinstance(node, nir.Linear):
                arrives += self.send(target, node.weight @ events, time)
            elif isinstance(node, nir.Delay):
                assert (node.delay == node.delay[0]).all()
                self.later.append((time + node.delay[0], target, events))
            else:
                assert isinstance(node, nir.Output)
        return arrives

    def step(self, time, events):
        lif = self.lif
        self.v = lif.v_leak + (self.v - lif.v_leak) * np.exp(-self.dt / lif.tau)
        due = [late for late in self.later if late[0] < time + self.dt / 2]
        self.later = [late for late in self.later if late[0] >= time + self.dt / 2]
        arrives = self.send("input", events, time)
        for _, source, delayed in due:
            arrives = arrives + self.send(source, delayed, time)
        self.v = self.v + lif.r / lif.tau * arrives
        spiked = []
        while len(spiked) < self.at_most and (self.v > lif.v_threshold).any():
            winner = int(np.argmax(self.v - lif.v_threshold))
            spiked.append(winner)
            self.v = self.v + lif.r / lif.tau * self.send(self.name, np.eye(len(self.v))[winner], time)
            self.v[winner] = lif.v_reset[winner]
        return spiked


def counts_of(graph, network, image, number, at_most):
    dt = float(graph.metadata["dt_s"])
    interpreter = Interpreter(graph, dt, at_most)
    counts = np.zeros(network.neurons, dtype=int)
    shown = input_spikes(network, image, 5, INFERENCE_SPIKES, number)
    for t, inputs in enumerate(np.split(shown.inputs, shown.offsets[0, 1:-1])):
        events = np.zeros(image.size)
        events[inputs] = 1
        for j in interpreter.step(t * dt, events):
            counts[j] += 1
    return counts


def expected_counts(model, images):
    weights, theta = model.layer.weights.values, model.layer.theta.values
    return fast.respond(model.network, *(a.astype(np.float64) for a in (weights, theta)), images, seed=5)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"inhibition": "layer", "inhibition_ms": 0.0},
        {"inhibition_strength": 0.0},
        {"answer_threshold": 1.5, "answer_inhibition": 0.4},
    ],
)
def test_a_graph_that_was_written_and_read_spikes_as_the_network(tmp_path, changes):
    network = changed(PLAIN, **changes)
    model = model_of(network, weights="UQ0.8")
    images = images_for(model, 5)
    export_nir(model, tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    found = [
        counts_of(graph, network, image, m, int(graph.metadata["spikes_per_step"]))
        for m, image in enumerate(images)
    ]
    expected = expected_counts(model, images)
    assert expected.sum() > 20
    np.testing.assert_array_equal(found, expected)


def test_where_inhibition_leaves_nobody_above_each_neuron_may_spike_on_its_own(tmp_path):
    network = changed(PLAIN, inhibition_strength=3.0)
    model = model_of(network)
    images = images_for(model, 5)
    export_nir(model, tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    found = [counts_of(graph, network, image, m, 12) for m, image in enumerate(images)]
    np.testing.assert_array_equal(found, expected_counts(model, images))


def test_the_file_says_what_a_graph_cannot(tmp_path):
    model = model_of(changed(PLAIN, neurons=7), readout="linear")
    export_nir(model, tmp_path / "net.nir")
    metadata = nir.read(tmp_path / "net.nir").metadata
    assert (metadata["readout"], metadata["classes"]) == ("linear", "0, 1, 2")
    assert float(metadata["duration_s"]) == 0.12
    np.testing.assert_array_equal(metadata["readout_table"], model.readout.table)
    np.testing.assert_array_equal(metadata["readout_bias"], model.readout.bias)


def test_a_lone_neuron_needs_no_inhibition(tmp_path):
    export_nir(model_of(changed(PLAIN, neurons=1)), tmp_path / "net.nir")
    assert set(nir.read(tmp_path / "net.nir").nodes) == {"input", "weights", "neurons", "output"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"field": (3, 3), "inhibition": "first"},
            "field: NIR cannot express inhibition at each position; use no field, or inhibition 'none'$",
        ),
        (
            {"inhibition": "first"},
            "inhibition: NIR has no winner-take-all, which .first. is; train a network",
        ),
        (
            {"tau_m_ms": None},
            "tau_m_ms: fspinn writes neurons with leak only to NIR; train a network with on",
        ),
        ({"refractory_ms": 3.0}, r"refractory_ms: NIR cannot express 3\.0; train a network with 0$"),
        (
            {"inhibition_of": "potential"},
            "inhibition_of: NIR cannot express 'potential'; train .* 'threshold'$",
        ),
        (
            {"inhibition": "clamp"},
            "inhibition: NIR cannot express 'clamp'; train .* with 'lateral'$",
        ),
        (
            {"inhibition": "layer"},
            "inhibition_ms: NIR cannot express that a layer rests for 10 ms; train a network",
        ),
    ],
)
def test_what_nir_cannot_express_is_refused(tmp_path, changes, words):
    with pytest.raises(ConfigError, match=words):
        export_nir(model_of(changed(PLAIN, **changes)), tmp_path / "net.nir")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(
        ConfigError, match=r"cannot be written \(No such file or directory\); choose another fi"
    ):
        export_nir(model_of(PLAIN), tmp_path / "missing" / "net.nir")


def test_without_the_package_the_refusal_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(ConfigError, match=r"nir: the package is not installed; pip install 'fspinn\[nir\]'$"):
        export_nir(model_of(PLAIN), tmp_path / "net.nir")
