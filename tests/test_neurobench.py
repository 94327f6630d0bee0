"""NeuroBench itself counts what we count, where it is installed: of the same weights and input spikes."""

import numpy as np
import pytest

import fspinn
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.memmodel import neurobench
from fspinn.model.model import Model, Readout
from fspinn.model.tensors import LayerTensors
from fspinn.network import FirstSpike, Fixed, Layer, Network, Neuron, NoInhibition
from fspinn.network.encoders import BatchEncoder, encoding_of

torch = pytest.importorskip("torch")
snntorch = pytest.importorskip("snntorch")
workload = pytest.importorskip("neurobench.metrics.workload")

STEPS, BETA = 8, 0.5
NEURON = Neuron(threshold=1.0, tau_m_ms=-1 / np.log(BETA), weight_norm=1.0)
LAYERS = tuple(Layer(n, neuron=NEURON, inhibition=NoInhibition(), adaptation=Fixed()) for n in (30, 20))


def test_a_chain_counts_as_it_does_there():
    images = fspinn.datasets.load("digits").test.first(25)
    random, layers = np.random.default_rng(0), []
    for inputs, neurons in ((64, 30), (30, 20)):
        # So small that no potential is above the threshold still after a reset: there the two differ.
        weights = random.normal(3.2 / inputs, 4 / inputs, (inputs, neurons)).astype(np.float32)
        layers.append(LayerTensors.of_floats(weights, np.zeros(neurons, np.float32)))
    network = Network(FirstSpike(), LAYERS, duration_ms=STEPS)
    readout = Readout("majority", np.eye(20, 10, dtype=np.float32))
    model = Model(network, (8, 8), tuple(layers), readout)
    answer = fspinn.predict(model, images.images)
    found = neurobench(model, answer.activity)

    shown = BatchEncoder(encoding_of(network)).encode(images.images, 0, INFERENCE_SPIKES)
    spikes = torch.zeros(len(images), STEPS, 64)
    for sample in range(len(images)):
        for step in range(STEPS):
            first, end = shown.offsets[sample, step], shown.offsets[sample, step + 1]
            spikes[sample, step, shown.inputs[first:end].astype(np.int64)] = 1
    theirs = _counted_there(layers, spikes)
    assert found.effective_acs == pytest.approx(theirs["Effective_ACs"])
    assert (found.effective_macs, theirs["Effective_MACs"]) == (0, 0)
    assert found.dense == theirs["Dense"]
    assert found.activation_sparsity == pytest.approx(theirs["sparsity"])
    assert 0.5 < found.activation_sparsity < 1


def _counted_there(layers, spikes):
    """Return what NeuroBench counts for the same weights as a network of snnTorch."""
    from neurobench.models import SNNTorchModel

    parts = []
    for layer in layers:
        linear = torch.nn.Linear(*layer.weights.numbers.shape, bias=False)
        linear.weight.data = torch.from_numpy(np.ascontiguousarray(layer.weights.numbers.T))
        leaky = snntorch.Leaky(beta=BETA, threshold=1.0, init_hidden=True, reset_delay=False)
        parts += [linear, leaky]
    parts[-1].output = True
    wrapped = SNNTorchModel(torch.nn.Sequential(*parts))
    wrapped.register_hooks()
    with torch.no_grad():
        predictions = wrapped(spikes)
    data = spikes, torch.zeros(len(spikes))
    return {
        **workload.SynapticOperations()(wrapped, predictions, data),
        "sparsity": workload.ActivationSparsity()(wrapped, predictions, data),
    }
