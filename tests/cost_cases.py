"""Networks, workloads and hardware for the tests of the cost model."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from fspinn.memmodel import LayerSize, Size, load_hardware, workloads_of_spikes
from fspinn.memmodel.case import Case

HARDWARE = load_hardware("asic65-lp")
PHASES = ("inference", "training")
SRAM_PRESETS = ("asic65-lp", "asic45-horowitz")
TIMED = ("asic65-lp", "asic28-odin", "asic45-horowitz", "mcu-m4f", "fpga-artix7", "fpga-ice40up5k")

OF_NETWORK = ("n_classes", "readout", "readout_bits", "silence", "waiting_inputs")
"""Parts of a `Size` beside its layers."""


def sized(n_inputs, n_neurons, n_classes=10, weight_bits=8, **more):
    """Return the size of a network of one layer; `more` are parts of both."""
    of_network = {name: more.pop(name) for name in OF_NETWORK if name in more}
    return Size((LayerSize(n_inputs, n_neurons, weight_bits, **more),), n_classes, **of_network)


def resized(size, **changes):
    """Return a network of one layer with other sizes."""
    of_network = {name: changes.pop(name) for name in OF_NETWORK if name in changes}
    return replace(size, layers=(replace(size.layers[0], **changes),), **of_network)


def grown(size, name):
    """Return a network of one layer in which one size of it is greater by one."""
    return resized(size, **{name: getattr(size.layers[0], name) + 1})


SIZE = sized(784, 400, readout_bits=8)

unhurried = settings(deadline=None)
"""Examples take longer on a busy machine."""

sizes = st.builds(
    sized,
    n_inputs=st.integers(1, 2000),
    n_neurons=st.integers(1, 5000),
    n_classes=st.integers(2, 30),
    weight_bits=st.integers(1, 40),
    state_bits=st.integers(1, 64),
    threshold_bits=st.integers(1, 32),
    trace_bits=st.integers(1, 32),
    steps=st.integers(1, 500),
    window_steps=st.integers(1, 500),
    refractory_steps=st.integers(0, 100),
    inhibition_steps=st.integers(0, 20),
    readout=st.sampled_from(["proportion", "majority", "linear"]),
    readout_bits=st.integers(1, 32),
    inhibition=st.sampled_from(["lateral", "clamp", "layer"]),
    rule=st.sampled_from(["normalised", "timestep", "pair", "postonly"]),
    adaptation=st.sampled_from(["balanced", "decaying", "homeostatic", "off"]),
    normalisation=st.sampled_from(["off", "l1", "l2"]),
    decays=st.booleans(),
)
spikes = st.fixed_dictionaries({"input_spikes": st.integers(0, 10**4), "output_spikes": st.integers(0, 500)})


def works(size, input_spikes=2286, output_spikes=20, *more):
    """Return the workloads of both phases with so many spikes an image, at the input and in each layer."""
    return workloads_of_spikes(size, input_spikes, output_spikes, *more)


def case(size=SIZE, phase="inference", hardware=HARDWARE, **spikes):
    """Return a case; `spikes` are those of `works`."""
    return Case(size, works(size, **spikes)[phase], hardware, phase == "training")


def phases(hardware):
    """Return what a piece of hardware does: a pipeline does not learn."""
    return PHASES if hardware.pipeline is None else PHASES[:1]


def with_memory(hardware=HARDWARE, weights=None, state=None):
    """Return hardware with other values in its memories."""
    memory = hardware.memory
    return replace(
        hardware,
        memory=replace(
            memory,
            weights=replace(memory.weights, **(weights or {})),
            state=replace(memory.state, **(state or {})),
        ),
    )
