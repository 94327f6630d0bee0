"""Networks, workloads and hardware for the tests of the cost model."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from fspinn.memmodel import Size, Workload, load_hardware
from fspinn.memmodel.case import Case

HARDWARE = load_hardware("asic65-lp")
SIZE = Size(n_inputs=784, n_neurons=400, n_classes=10, weight_bits=8, readout_bits=8)
PHASES = ("inference", "training")
SRAM_PRESETS = ("asic65-lp", "asic45-horowitz")
TIMED = ("asic65-lp", "asic28-odin", "asic45-horowitz", "mcu-m4f", "fpga-artix7", "fpga-ice40up5k")

unhurried = settings(deadline=None)
"""Examples take longer on a busy machine."""

sizes = st.builds(
    Size,
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
    adaptation=st.sampled_from(["balanced", "decaying", "off"]),
    normalisation=st.sampled_from(["off", "l1", "l2"]),
    decays=st.booleans(),
)
spikes = st.fixed_dictionaries({"input_spikes": st.integers(0, 10**4), "output_spikes": st.integers(0, 500)})


def works(size, input_spikes=2286, output_spikes=20):
    """Return the workloads of both phases with so many spikes an image."""
    return {
        phase: Workload.expected(size, input_spikes, output_spikes, phase == "training") for phase in PHASES
    }


def case(size=SIZE, phase="inference", hardware=HARDWARE, **spikes):
    """Return a case; `spikes` are those of `works`."""
    return Case(size, works(size, **spikes)[phase], hardware, phase == "training")


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
