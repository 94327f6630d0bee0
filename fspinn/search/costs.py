"""What does a candidate cost? Expected before anything is trained, for many at once; counted afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from fspinn.learning.training import most_passes
from fspinn.memmodel import Estimate, Hardware, LayerSize, Size, Workload, estimate
from fspinn.memmodel.area import Needed
from fspinn.memmodel.inputs import OF_THE_INPUT
from fspinn.memmodel.neurobench import readout_metrics
from fspinn.memmodel.workload import expected_spikes, workloads_of_spikes
from fspinn.model.activity import Activity
from fspinn.model.model import Model
from fspinn.network.learners import Hybrid, StdpLabels
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup
from fspinn.search.candidates import FLOAT_BITS, Candidate

_CONTROLLER = ("flash_bytes", "ram_bytes")

_NUMBERS = [field.name for field in fields(LayerSize) if field.type in ("int", int, "float", float)]

KEPT = 0.5
"""Share of the pixels that pruning is expected to leave, at least (fspinn).

With weights of 1 to 3 bits 50 to 65 % of MNIST's are left: none is rejected that could keep to its limits.
"""


@dataclass(frozen=True)
class Cost:
    """What an image costs, and what has to be stored.

    Parameters
    ----------
    memory_bits : int
        For inference, readout included.
    training_memory_bits : int or None
        On a device that learns; None where it cannot, as the network needs labels and so a host.
    energy_pj : float
        Of one inference.
    latency_s : float or None
        Of one inference; None where the hardware says nothing of time.
    area_um2 : float or None
        None where the hardware says nothing of area.
    output_spikes, synaptic_operations : float
        Spikes and weights added in one inference.
    time_steps : int
        Of one inference.
    training_steps : int or None
        Time steps that all samples together are shown for while the network learns; None where that is not
        known.
    counted : bool, default True
        Whether energy, latency and spikes rest on what an engine counted, or are expected.
    flash_bits, ram_bits : int or None, default None
        That the C program for inference takes of a microcontroller, its code and stack included; None where
        the hardware is not one.
    over_capacity : str or None, default None
        Which other memory, or the logic of an FPGA, is too small for inference, in words.
    layer_spikes : tuple of float, default ()
        Output spikes of each layer in one inference.
    intercept_s, interval_s : float or None, default None
        Part of the latency that an image without a spike takes, and the time from one image to the next.
    macs : float or None, default None
        Multiply-accumulates of one inference, on numbers that are not 0: those of the readout (see
        `fspinn.memmodel.neurobench`). None until they were counted.
    operations : float or None, default None
        All of one inference: `synaptic_operations` and those of the readout, additions or MACs, on its extra
        features too. None until they were counted.
    """

    memory_bits: int
    training_memory_bits: int | None
    energy_pj: float
    latency_s: float | None
    area_um2: float | None
    output_spikes: float
    synaptic_operations: float
    time_steps: int
    training_steps: int | None
    counted: bool = True
    flash_bits: int | None = None
    ram_bits: int | None = None
    over_capacity: str | None = None
    layer_spikes: tuple[float, ...] = ()
    intercept_s: float | None = None
    interval_s: float | None = None
    macs: float | None = None
    operations: float | None = None


def expected_costs(
    candidates: Sequence[Candidate],
    hardware: Hardware,
    image_shape: tuple[int, ...],
    n_classes: int,
    mean_intensity: float,
    images: int,
    labelled: int | None = None,
    extra_features: int = 0,
) -> list[Cost]:
    """Return the costs of candidates that need not exist yet, for images of such a mean pixel (1 is white).

    They learn from so many images, of which some are `labelled`, None is all. Beside each there are so many
    extra features, which the readout listens to.

    Memory and area are exact but for what pruning leaves (`KEPT`); the others rest on
    `fspinn.memmodel.workload.expected_spikes`.
    """
    costs: list[Cost | None] = [None] * len(candidates)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, candidate in enumerate(candidates):
        alike.setdefault(_kind(candidate), []).append(place)
    setups = dict.fromkeys(candidate.setup for candidate in candidates)
    sizes = {
        s: Size.of_network(
            s.network, s.learner, image_shape, n_classes, FLOAT_BITS, extra_features=extra_features
        )
        for s in setups
    }
    spikes = {setup: expected_spikes(setup.network, sizes[setup], mean_intensity) for setup in setups}
    for places in alike.values():
        several = [candidates[place] for place in places]
        size = _size(several, [sizes[candidate.setup] for candidate in several])
        along = np.array([spikes[candidate.setup] for candidate in several]).T
        work = workloads_of_spikes(size, *along)
        for place, cost in zip(places, _costs(size, hardware, work, len(places)), strict=True):
            setup = candidates[place].setup
            costs[place] = replace(
                cost, time_steps=setup.network.steps, training_steps=training_steps(setup, images, labelled)
            )
    return [cost for cost in costs if cost is not None]


def training_steps(setup: Setup, images: int, labelled: int | None = None) -> int:
    """Return the time steps that so many images are shown for while a network learns as a search has it.

    Labels teach by the images that are `labelled`, None is all.

    Layers that learn without labels do so one after the other, each from all images; gradients reach all at
    once. An ANN sees an image in one step.
    """
    learner, labelled = setup.learner, images if labelled is None else labelled
    passes = most_passes(setup.network, images, learner) if learner.passes is None else learner.passes
    if not isinstance(learner, Stdp):
        of_ann = learner.ann_passes if isinstance(learner, Hybrid) else 0
        return labelled * (passes * setup.network.steps + of_ann)
    shown = passes * len(setup.network.layers) * images
    if isinstance(learner, StdpLabels):
        shown += learner.tuning_passes * labelled
    return shown * setup.network.steps


def counted_cost(
    model: Model,
    activity: tuple[Activity, ...],
    hardware: Hardware,
    learned_steps: int | None = None,
    active_features: float | None = None,
) -> Cost:
    """Return the cost of a trained model whose layers did this for some images, learned in so many steps.

    So many spike counts of an image are not 0, on average; None takes them as
    `fspinn.memmodel.neurobench.neurobench` does.
    """
    training = model.activity.get("training", activity)  # only what learning stores counts here
    size = Size.of(model)
    (cost,) = _costs(size, hardware, {"inference": activity, "training": training}, 1)
    readout = readout_metrics(model, size, activity[-1].per_sample("output_spikes"), active_features)
    macs, operations = 0.0, cost.synaptic_operations
    if readout is not None:
        macs = readout.effective_macs
        of_extras = np.count_nonzero(model.readout.table[size.features :])  # each is taken to be on
        operations += macs + readout.effective_acs + float(of_extras)
    return replace(
        cost,
        counted=True,
        time_steps=model.network.steps,
        training_steps=learned_steps,
        macs=macs,
        operations=float(operations),
    )


def _kind(candidate: Candidate) -> tuple[Any, ...]:
    """Return what the formulas of the cost model depend on, beside numbers."""
    learner = candidate.setup.learner
    layers = tuple(
        (layer.inhibition.kind, layer.adaptation.kind, layer.neuron.tau_m_ms is not None)
        for layer in candidate.network.layers
    )
    inputs = candidate.network.encoder.kind, candidate.network.contrast.kind
    learning: tuple[Any, ...] = (learner.kind,)
    if isinstance(learner, Stdp):
        learning += learner.rule.kind, learner.normalisation, learner.weight_decay > 0
    return (layers, inputs, learning, candidate.readout)


def _size(candidates: Sequence[Candidate], sizes: Sequence[Size]) -> Size:
    """Return the sizes of candidates of one kind, of which those of the networks are known."""
    variants = [one.variant for one in candidates]
    bits = {name: _column(variants, name) for name in ("weight_bits", "state_bits")}
    bits["threshold_bits"] = bits["state_bits"]  # at most; how wide, training tells
    first, *others = (
        replace(layers[0], **{name: _column(layers, name) for name in _NUMBERS} | bits)
        for layers in zip(*(size.layers for size in sizes), strict=True)
    )
    prune, readout_bits = (_column(variants, name) for name in ("prune", "readout_bits"))
    prune = prune & (first.slides == 0)  # neurons that look everywhere use all of their field
    kept = np.ceil(first.n_inputs * np.where(prune, KEPT, 1.0)).astype(np.int64)
    of_input = {name: _column(sizes, name) for name in OF_THE_INPUT}
    first = replace(first, n_inputs=kept, mapped_pixels=first.n_inputs * prune)
    return replace(
        sizes[0],
        layers=(first, *others),
        readout=candidates[0].readout,
        readout_bits=readout_bits,
        **of_input,
    )


def _column(several: Sequence[Any], name: str) -> Any:
    return np.array([getattr(one, name) for one in several])


def _costs(
    size: Size, hardware: Hardware, activity: Mapping[str, Sequence[Activity | Workload]], count: int
) -> list[Cost]:
    cost = estimate(size, hardware, activity)
    spikes = cost.spikes("inference")
    capacity = dict(cost.capacity["inference"])
    flash, ram = (8 * capacity.pop(name).needed if name in capacity else None for name in _CONTROLLER)
    columns = {
        "memory_bits": np.asarray(cost.memory["inference"]["total"]).astype(np.int64),
        "training_memory_bits": None
        if cost.no_training is not None
        else np.asarray(cost.memory["training"]["total"]).astype(np.int64),
        "energy_pj": cost.energy["inference"]["total"],
        "latency_s": cost.latency_s("inference"),
        "intercept_s": _seconds(cost, cost.intercept["inference"]),
        "interval_s": _seconds(cost, cost.interval["inference"]),
        "area_um2": None if cost.area is None else cost.area["inference"]["total"],
        "output_spikes": spikes["output_spikes"],
        "synaptic_operations": spikes["synaptic_operations"],
        "flash_bits": None if flash is None else np.asarray(flash).astype(np.int64),
        "ram_bits": None if ram is None else np.asarray(ram).astype(np.int64),
    }
    lists: dict[str, list[Any]] = {
        name: [None] * count if values is None else np.broadcast_to(np.asarray(values), count).tolist()
        for name, values in columns.items()
    }
    each_layer = [np.broadcast_to(one.output_spikes, count).tolist() for one in cost.work["inference"]]
    lists["layer_spikes"] = list(zip(*each_layer, strict=True))
    lists["over_capacity"] = _over_capacity(capacity, count)
    return [
        Cost(
            counted=False, time_steps=0, training_steps=None, **{n: values[k] for n, values in lists.items()}
        )
        for k in range(count)
    ]


def _seconds(cost: Estimate, cycles: Any) -> Any:
    return cycles / cost.hardware.clock.f_mhz / 1e6 if cost.hardware.timed else None


def _over_capacity(capacity: Mapping[str, Needed], count: int) -> list[str | None]:
    """Return in words what each network needs more of than there is; the first of several."""
    found: list[str | None] = [None] * count
    for name, one in capacity.items():
        quantity, unit = name.rsplit("_", 1)
        needed = np.broadcast_to(np.asarray(one.needed), count)
        for place in np.flatnonzero(~np.broadcast_to(np.asarray(one.fits), count)):
            found[place] = found[place] or f"{quantity} {needed[place]:,} of {one.available:,} {unit}"
    return found
