"""Build a definition as objects of Brian2 and run it: many presentations in one simulation.

Brian2 is left as it was found: the objects are in a `Network` of their own, and preferences, log level and
device are put back. The folder of a stand-alone program is a temporary one and is removed.
"""

import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fspinn.backends.brian2.definition import (
    SLOTS,
    Action,
    Definition,
    Event,
    EveryStep,
    Pathway,
    Population,
    Projection,
)
from fspinn.base.cores import available_cores
from fspinn.network.encoders import Spikes

TARGETS = ("numpy", "cython", "cpp_standalone")
"""What Brian2 makes of the equations: NumPy calls, compiled parts, or one compiled program."""

_TARGET = "codegen.target"
_MAKE_ARGUMENTS = "devices.cpp_standalone.extra_make_args_unix"

COUNTED_EVENTS = ("leads", "depresses", "falls")
"""Events that write weights, or thresholds at the end; how often they happened is part of the answer."""


_PROBES = {"before_threshold": "thresholds", "at_end": "window"}
"""Monitors of the potential that is probed, and the slots before which they look at it."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What a simulation did.

    Parameters
    ----------
    spike_steps, spike_neurons : ndarray of int64, shape (n_spikes,)
        Output spikes in their order; steps are counted from the start of the simulation.
    weights : ndarray of float64, shape (n_inputs, n_neurons)
    theta : ndarray of float64, shape (n_neurons,)
    inputs_in_step : ndarray of int64, shape (presentations * steps,)
        Number of input spikes of each step.
    potentials : ndarray of float64, shape (presentations * steps, 2), or None
        Of the neuron that was probed, as `fspinn.backends.protocol.Response` has them.
    events : dict of str to int
        How often each of `COUNTED_EVENTS` happened.
    build_s : float
        Wall-clock seconds until the first time step: Brian2 makes objects, writes code and compiles it.
    run_s : float
        Processor seconds from the first time step to the last.
    """

    spike_steps: NDArray[np.int64]
    spike_neurons: NDArray[np.int64]
    weights: NDArray[np.float64]
    theta: NDArray[np.float64]
    inputs_in_step: NDArray[np.int64]
    potentials: NDArray[np.float64] | None
    events: dict[str, int]
    build_s: float
    run_s: float


def simulate(
    definition: Definition,
    state: tuple[NDArray[Any], NDArray[Any]],
    spikes: Spikes,
    per_presentation: Mapping[str, NDArray[np.float64]],
    target: str,
    *,
    earlier_spikes: int = 0,
    probe: int | None = None,
) -> Recorded:
    """Run presentations one after the other.

    Parameters
    ----------
    definition : Definition
    state : tuple of ndarray
        Weights (n_inputs, n_neurons) and theta (n_neurons,) to begin with.
    spikes : Spikes
        Input spikes of the presentations.
    per_presentation : mapping of str to ndarray of float64, shape (presentations,)
        Values of the functions that `Definition.per_presentation` names.
    target : str
        One of `TARGETS`.
    earlier_spikes : int, default 0
        Output spikes in earlier presentations of the training.
    probe : int or None, default None
        Neuron whose potential is recorded.
    """
    import brian2

    started = time.perf_counter()
    dt = definition.dt_ms * brian2.ms
    with brian2_for(target) as folder:
        names = _values_of(definition, per_presentation)
        spike_steps, spike_inputs = spikes.events
        network = _build(definition, spike_inputs, spike_steps * dt, names)
        network["neurons"].theta = state[1]
        network["weights"].w = np.array(state[0], dtype=np.float64).reshape(-1)
        if probe is not None:
            for name, when in _PROBES.items():
                network.add(
                    brian2.StateMonitor(network["neurons"], "v", probe, when=when, order=-1, name=name)
                )
        if earlier_spikes and "total_spikes" in network["referee"].variables:
            network["referee"].total_spikes = earlier_spikes
        duration = len(spikes) * definition.steps * dt
        if folder is None:
            build_s, run_s = _run(network, duration, started)
        else:
            network.run(duration, namespace={})
            brian2.device.build(directory=folder, with_output=False, run=False)
            build_s = time.perf_counter() - started
            brian2.device.run(directory=folder, with_output=False)
            run_s = brian2.device._last_run_time  # of std::clock, which counts processor seconds
        inputs_in_step = np.bincount(spike_steps, minlength=len(spikes) * definition.steps)
        return _recorded(definition, network, inputs_in_step, build_s, run_s)


def _values_of(definition: Definition, per_presentation: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Return what the names in the equations stand for, as Brian2 wants it."""
    import brian2

    names: dict[str, Any] = {
        name: value * getattr(brian2, unit) if unit else value
        for name, (value, unit) in definition.constants.items()
    }
    duration = definition.steps * definition.dt_ms * brian2.ms
    for name, values in per_presentation.items():
        names[name] = brian2.TimedArray(values, dt=duration, name=f"{name}_per_presentation")
    return names


def _recorded(
    definition: Definition,
    network: Any,
    inputs_in_step: NDArray[np.int64],
    build_s: float,
    run_s: float,
) -> Recorded:
    """Return what a network of Brian2 did."""
    import brian2

    spikes = network["output_spikes"]
    n_neurons = network["neurons"].N
    return Recorded(
        spike_steps=np.rint(np.asarray(spikes.t / (definition.dt_ms * brian2.ms))).astype(np.int64),
        spike_neurons=np.array(spikes.i, dtype=np.int64),
        weights=np.array(network["weights"].w).reshape(-1, n_neurons),
        theta=np.array(network["neurons"].theta),
        inputs_in_step=inputs_in_step,
        potentials=np.stack([np.array(network[name].v[0]) for name in _PROBES], axis=-1)
        if "before_threshold" in network
        else None,
        events={name: int(network[name].num_events) if name in network else 0 for name in COUNTED_EVENTS},
        build_s=build_s,
        run_s=run_s,
    )


def _run(network: Any, duration: Any, started: float) -> tuple[float, float]:
    """Run a network step by step; return what `Recorded` calls ``build_s`` and ``run_s``."""
    import brian2

    walls, processors = [], []

    def report(*_: object) -> None:
        """Brian2 calls this before the first and after the last step, when all has been compiled."""
        walls.append(time.perf_counter())
        processors.append(time.process_time())

    network.run(duration, namespace={}, report=report, report_period=np.inf * brian2.second)
    return walls[0] - started, processors[-1] - processors[0]


def _build(definition: Definition, spike_inputs: NDArray[np.int32], spike_times: Any, names: Any) -> Any:
    """Return a Brian2 network; a part's place in the schedule is its order within its slot."""
    import brian2

    clock = brian2.Clock(definition.dt_ms * brian2.ms, name="time_steps")
    groups = {
        population.name: _group(definition, population, clock, names)
        if population.equations
        else brian2.SpikeGeneratorGroup(
            population.size,
            spike_inputs,
            spike_times,
            clock=clock,
            when="input",
            order=-1,
            sorted=True,
            name=population.name,
        )
        for population in definition.populations
    }
    for population in definition.populations:
        for line in population.equations.splitlines():
            if "(linked)" in line:
                name = line.split(" : ")[0]
                setattr(groups[population.name], name, brian2.linked_var(groups["referee"], name))
    synapses = {
        projection.name: _synapses(definition, projection, groups, names)
        for projection in definition.projections
    }
    counters = [brian2.SpikeMonitor(groups["neurons"], when="end", order=-1, name="output_spikes")]
    for order, part in enumerate(definition.schedule):
        if isinstance(part, EveryStep):
            groups[part.population].run_regularly(part.code, clock=clock, when=part.slot, order=order)
        elif isinstance(part, Action):
            groups[part.population].run_on_event(part.event, part.code, when=part.slot, order=order)
        elif isinstance(part, Pathway):
            pathway = getattr(synapses[part.projection], _pathway_name(order))
            pathway.when, pathway.order = part.slot, order
        else:
            group = groups[part.population]
            group.set_event_schedule(part.name, when=part.slot, order=order)
            if part.name in COUNTED_EVENTS:
                last = len(definition.schedule)  # events of the end are counted too, in the step they are in
                counters.append(
                    brian2.EventMonitor(
                        group, part.name, record=False, when="end", order=last, name=part.name
                    )
                )
    network = brian2.Network(*groups.values(), *synapses.values(), *counters)
    network.schedule = SLOTS
    return network


def _group(definition: Definition, population: Population, clock: Any, names: Any) -> Any:
    import brian2

    group = brian2.NeuronGroup(
        population.size,
        population.equations,
        method="exact",
        events={
            part.name: part.condition
            for part in definition.schedule
            if isinstance(part, Event) and part.population == population.name
        },
        clock=clock,
        namespace=names,
        name=population.name,
    )
    group.state_updater.when = "groups"
    return group


def _synapses(definition: Definition, projection: Projection, groups: Any, names: Any) -> Any:
    import brian2

    pathways = {
        _pathway_name(order): part
        for order, part in enumerate(definition.schedule)
        if isinstance(part, Pathway) and part.projection == projection.name
    }
    synapses = brian2.Synapses(
        groups[projection.source],
        groups[projection.target],
        projection.equations,
        on_pre={name: part.code for name, part in pathways.items() if part.side == "pre"},
        on_post={name: part.code for name, part in pathways.items() if part.side == "post"},
        on_event={name: part.event for name, part in pathways.items()},
        delay=dict.fromkeys(pathways, 0 * brian2.ms),
        clock=groups[projection.target].clock,
        namespace=names,
        name=projection.name,
    )
    synapses.connect(**({"j": "i"} if projection.one_to_one else {}))
    return synapses


def _pathway_name(order: int) -> str:
    return f"part{order}"


@contextmanager
def brian2_for(target: str) -> Iterator[str | None]:
    """Let Brian2 work quietly for a target, in the folder that this yields if the target needs one."""
    import brian2

    logger = logging.getLogger("brian2")
    level, preferred = logger.level, {name: brian2.prefs[name] for name in (_TARGET, _MAKE_ARGUMENTS)}
    logger.setLevel(logging.ERROR)
    try:
        if target != "cpp_standalone":
            brian2.prefs[_TARGET] = target
            yield None
            return
        # Brian2 starts all compilations at once, which small machines have no memory for.
        brian2.prefs[_MAKE_ARGUMENTS] = [f"-j{available_cores()}"]
        with tempfile.TemporaryDirectory(prefix="fspinn-brian2-") as folder:
            brian2.set_device("cpp_standalone", build_on_run=False, directory=folder)
            try:
                yield folder
            finally:
                brian2.device.reinit()
                brian2.devices.reset_device()
    finally:
        for name, value in preferred.items():
            brian2.prefs[name] = value
        logger.setLevel(level)
