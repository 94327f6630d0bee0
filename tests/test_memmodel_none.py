"""Layers whose neurons know nothing of each other, and what was learned on a host."""

from dataclasses import replace

import pytest
from cost_cases import HARDWARE, SIZE, case, resized, sized, works
from test_memmodel_layers import STACK, model_of

from fspinn.answering.describe import in_words
from fspinn.base.errors import ConfigError
from fspinn.base.settings import as_plain
from fspinn.memmodel import LayerSize, Size, estimate, footprint, load_hardware
from fspinn.memmodel.area import capacity
from fspinn.memmodel.case import Case
from fspinn.memmodel.text import describe
from fspinn.memmodel.workload import RATE, expected_spikes, workloads_of_spikes
from fspinn.model.activity import Activity
from fspinn.network import (
    FirstSpike,
    Fixed,
    Layer,
    Network,
    NoInhibition,
    Poisson,
    Stdp,
    StdpLabels,
    Surrogate,
)
from fspinn.report.plots.costs import costs
from fspinn.search import Constraints
from fspinn.search.costs import _costs

NONE = {"inhibition": "none", "adaptation": "off"}
CHAIN = Size((LayerSize(784, 130, 4, steps=10, **NONE), LayerSize(130, 20, 4, steps=10, **NONE)), 10)


def free(neurons, **more):
    return Layer(neurons, inhibition=NoInhibition(), adaptation=Fixed(), **more)


def test_the_bits_of_a_chain_are_those_counted_by_hand():
    """16 pixels, 3 x 3 positions of 2 x 2 in 2 x 1 cells of 3 neurons, then 4 neurons, 2 classes, 7 steps."""
    layers = free(3, field=(2, 2), cells=(2, 1)), free(4)
    network = Network(FirstSpike(), layers, duration_ms=7.0)
    size = Size.of_network(network, Surrogate(), (4, 4), n_classes=2, weight_bits=4, readout="linear")
    size = replace(size, layers=tuple(replace(one, state_bits=9, threshold_bits=9) for one in size.layers))
    assert footprint(size, training=False) == {
        "weights": 4 * (4 * 3 + 6 * 4),
        "pixels": 0,
        "thresholds": 9 + 9,  # a constant of each layer
        "membrane": 9 * (3 + 4),  # of one column each
        "refractory": 0,
        "inhibition": 0,
        "input_buffer": 16 * 8,
        "spikes": 2 * 4,
        "spike_times": 2 * 3 * 7,  # a bit for each feature and time step
        "labels": 0,
        "readout": 4 * 2 * 32 + 2 * 32,
        "votes": 4 * 3,  # 7 spikes at most
    }


def test_a_neuron_may_spike_in_each_step_at_each_position():
    size = sized(25, 8, steps=7, positions=576, positions_in_cell=64, cells=9, **NONE)
    assert footprint(size, False)["votes"] == 9 * 8 * 9  # 448 spikes at most
    first = resized(size, inhibition="first")
    assert footprint(first, False)["votes"] == 9 * 8 * 7


def test_the_next_layer_reads_a_bit_of_each_neuron_in_each_step():
    done = Case(CHAIN, works(CHAIN, 500, 300, 9)["inference"], HARDWARE, training=False).accesses["spikes"]
    assert done.state_reads == 10 * (7 + 2) + 300  # 784 and 130 bits in words of 128; each spike sets one
    assert done.state_writes == 10 * 7 + 300 + 10 * 2  # no neuron has spiked when an image begins


def test_all_spikes_reach_the_next_layer():
    work = workloads_of_spikes(CHAIN, 500, 300, 9)["inference"]
    assert [one.input_spikes for one in work] == [500, 300]
    assert workloads_of_spikes(CHAIN, 500, 2000, 9)["inference"][1].input_spikes == 130 * 10
    lateral = replace(CHAIN, layers=tuple(replace(one, inhibition="lateral") for one in CHAIN.layers))
    assert workloads_of_spikes(lateral, 500, 300, 9)["inference"][1].input_spikes == 130


def test_neurons_are_expected_to_spike_in_a_part_of_the_steps():
    network = Network(Poisson(rate_norm_hz=400.0), (free(50), free(10)), duration_ms=100.0)
    size = Size.of_network(network, Surrogate(), (4, 4), n_classes=2, weight_bits=4)
    assert expected_spikes(network, size, 0.25) == pytest.approx((80, RATE * 50 * 100, RATE * 10 * 100))
    column = Network(FirstSpike(), (free(8, field=(2, 2)),), duration_ms=5.0)
    size = Size.of_network(column, Surrogate(), (4, 4), n_classes=2, weight_bits=4)
    active = 9 * 0.25**0.5  # of 9 positions
    assert expected_spikes(column, size, 0.25)[1] == pytest.approx(active * RATE * 8 * 5)


def test_nothing_is_inhibited_and_counts_are_multiplied():
    found = case(resized(SIZE, **NONE), output_spikes=700)
    lateral = case(resized(SIZE, adaptation="off"), output_spikes=700)
    assert found.cycles["inhibition"] == 700 * HARDWARE.cycles.output_spike
    assert sum(found.accesses["inhibition"]) == 0
    assert sum(lateral.accesses["inhibition"]) > 0
    table = 400 * 10
    assert found.accesses["readout"].multiplied_square_bits == table * 9 * 8


def test_a_microcontroller_keeps_the_spikes_between_layers():
    board = load_hardware("mcu-m4f")
    needed = capacity(Case(CHAIN, works(CHAIN, 500, 300, 9)["inference"], board, training=False))
    lateral = replace(CHAIN, layers=tuple(replace(one, inhibition="first") for one in CHAIN.layers))
    fewer = capacity(Case(lateral, works(lateral, 500, 300, 9)["inference"], board, training=False))
    more = needed["ram_bytes"].needed - fewer["ram_bytes"].needed
    assert more == 10 * 5 * 4 - 130 + (20 - 20)  # bits in words of 32 for each step; or a byte each


@pytest.mark.parametrize("learner", [Surrogate(), StdpLabels()])
def test_what_labels_have_taught_was_learned_on_a_host(learner):
    network = Network(FirstSpike(), (free(4),), duration_ms=7.0)
    size = Size.of_network(network, learner, (4, 4), n_classes=2, weight_bits=4)
    assert not size.learns
    assert Size.of_network(network, Stdp(), (4, 4), n_classes=2, weight_bits=4).learns
    cost = estimate(size, HARDWARE, {"inference": works(size, 30, 5)["inference"]})
    assert cost.phases == ("inference",)
    for ask in (cost.fits, cost.latency_s, cost.rates, cost.spikes, cost.spike_cycles):
        with pytest.raises(ConfigError, match=r"training: learned on a host, .*; ask for inference"):
            ask("training")
    answer = cost.as_dict()
    assert answer["no_training"] == "learned on a host, as gradients of labels need one"
    assert answer["energy_pj"]["inference"]["total"] > 0
    empty = (
        "energy_pj",
        "memory_bits",
        "fits",
        "images_per_j",
        "memory_band_bits",
        "energy_band_pj",
        "activity",
    )
    assert all(answer[name]["training"] is None for name in empty)
    assert "training: not on this device; learned on a host, as gradients of labels need one" in describe(
        {"x": cost}
    )
    assert "training  " not in describe({"x": cost, "y": estimate(SIZE, HARDWARE, works(SIZE))})
    figure = costs({"x": cost})
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "memory, inference",
        "energy of an image, inference",
    ]


def test_a_search_cannot_ask_for_memory_to_learn_on_a_host():
    size = replace(SIZE, learns=False)
    (cost,) = _costs(size, HARDWARE, {"inference": works(size)["inference"]}, 1)
    assert cost.training_memory_bits is None
    reason = Constraints(0.9, training_memory=1e9).reason(cost)
    assert reason == "is learned on a host, from labels; no device can learn it"
    assert Constraints(0.9, memory=1e9).reason(cost) is None


def test_info_says_where_labels_were_learned_from():
    model = model_of(replace(STACK, layers=STACK.layers[:1]), (16,))
    done = {"training": (Activity(samples=2, steps=20, input_spikes=80),)}
    learned = {"learner": as_plain(StdpLabels())}
    for record, where in ((learned, True), ({}, False)):
        said = in_words(replace(model, activity=done, record=record))["training activity"]
        assert said.endswith(", on a host") == where
