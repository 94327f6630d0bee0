"""What does a candidate cost? Expected before anything is trained, for many at once; counted afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from fspinn.memmodel import Hardware, Size, Workload, estimate
from fspinn.memmodel.area import Needed
from fspinn.memmodel.workload import PHASES, expected_spikes
from fspinn.model.activity import Activity
from fspinn.model.model import Model
from fspinn.search.candidates import FLOAT_BITS, Candidate

_CONTROLLER = ("flash_bytes", "ram_bytes")

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
    training_memory_bits : int
        On a device that learns.
    energy_pj : float
        Of one inference.
    latency_s : float or None
        Of one inference; None where the hardware says nothing of time.
    area_um2 : float or None
        None where the hardware says nothing of area.
    output_spikes, synaptic_operations : float
        Spikes and weights added in one inference.
    counted : bool, default True
        Whether energy, latency and spikes rest on what an engine counted, or are expected.
    flash_bits, ram_bits : int or None, default None
        That the C program for inference takes of a microcontroller, its code and stack included; None where
        the hardware is not one.
    over_capacity : str or None, default None
        Which other memory, or the logic of an FPGA, is too small for inference, in words.
    """

    memory_bits: int
    training_memory_bits: int
    energy_pj: float
    latency_s: float | None
    area_um2: float | None
    output_spikes: float
    synaptic_operations: float
    counted: bool = True
    flash_bits: int | None = None
    ram_bits: int | None = None
    over_capacity: str | None = None


def expected_costs(
    candidates: Sequence[Candidate],
    hardware: Hardware,
    n_inputs: int,
    n_classes: int,
    mean_intensity: float,
) -> list[Cost]:
    """Return the costs of candidates that need not exist yet, for images of such a mean pixel (1 is white).

    Memory and area are exact but for what pruning leaves (`KEPT`); the others rest on
    `fspinn.memmodel.workload.expected_spikes`.
    """
    costs: list[Cost | None] = [None] * len(candidates)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, candidate in enumerate(candidates):
        alike.setdefault(_kind(candidate), []).append(place)
    spikes = {c.network: (0.0, 0.0) for c in candidates}
    spikes = {network: expected_spikes(network, n_inputs, mean_intensity) for network in spikes}
    for places in alike.values():
        several = [candidates[place] for place in places]
        size = _size(several, n_inputs, n_classes)
        inputs, outputs = np.array([spikes[candidate.network] for candidate in several]).T
        work = {phase: Workload.expected(size, inputs, outputs, phase == "training") for phase in PHASES}
        for place, cost in zip(places, _costs(size, hardware, work, len(places)), strict=True):
            costs[place] = cost
    return [cost for cost in costs if cost is not None]


def counted_cost(model: Model, activity: Activity, hardware: Hardware) -> Cost:
    """Return the cost of a trained model that did this for some images."""
    training = model.activity.get("training", (activity,))[0]  # only what learning stores counts here
    work = {"inference": Workload.counted(activity), "training": Workload.counted(training)}
    (cost,) = _costs(Size.of(model), hardware, work, 1)
    return replace(cost, counted=True)


def _kind(candidate: Candidate) -> tuple[Any, ...]:
    """Return what the formulas of the cost model depend on, beside numbers."""
    (layer,), learner = candidate.network.layers, candidate.setup.learner
    kind = (layer.inhibition.kind, learner.rule.kind, layer.adaptation.kind, learner.normalisation)
    return (*kind, learner.weight_decay > 0, candidate.readout)


def _size(candidates: Sequence[Candidate], n_inputs: int, n_classes: int) -> Size:
    """Return the sizes of candidates of one kind."""
    setups = {one.setup for one in candidates}
    sizes = {s: Size.of_network(s.network, s.learner, n_inputs, n_classes, FLOAT_BITS) for s in setups}
    of_network = ("n_neurons", "steps", "window_steps", "refractory_steps", "inhibition_steps")
    rows = [
        {
            **{name: getattr(sizes[candidate.setup], name) for name in of_network},
            "weight_bits": candidate.variant.weight_bits,
            "state_bits": candidate.variant.state_bits,
            "threshold_bits": candidate.variant.state_bits,  # at most; how wide, training tells
            "readout_bits": candidate.variant.readout_bits,
            "n_inputs": ceil(n_inputs * KEPT) if candidate.variant.prune else n_inputs,
            "mapped_pixels": n_inputs if candidate.variant.prune else 0,
        }
        for candidate in candidates
    ]
    columns: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return replace(sizes[candidates[0].setup], readout=candidates[0].readout, **columns)


def _costs(size: Size, hardware: Hardware, work: dict[str, Workload], count: int) -> list[Cost]:
    cost, inference = estimate(size, hardware, work), work["inference"]
    room = dict(cost.room["inference"])
    flash, ram = (8 * room.pop(name).needed if name in room else None for name in _CONTROLLER)
    columns = {
        "memory_bits": np.asarray(cost.memory["inference"]["total"]).astype(np.int64),
        "training_memory_bits": np.asarray(cost.memory["training"]["total"]).astype(np.int64),
        "energy_pj": cost.energy["inference"]["total"],
        "latency_s": cost.latency_s("inference"),
        "area_um2": None if cost.area is None else cost.area["inference"]["total"],
        "output_spikes": inference.output_spikes,
        "synaptic_operations": inference.synaptic_additions,
        "flash_bits": None if flash is None else np.asarray(flash).astype(np.int64),
        "ram_bits": None if ram is None else np.asarray(ram).astype(np.int64),
    }
    lists: dict[str, list[Any]] = {
        name: [None] * count if values is None else np.broadcast_to(np.asarray(values), count).tolist()
        for name, values in columns.items()
    }
    lists["over_capacity"] = _over_capacity(room, count)
    return [Cost(counted=False, **{name: values[k] for name, values in lists.items()}) for k in range(count)]


def _over_capacity(room: Mapping[str, Needed], count: int) -> list[str | None]:
    """Return in words what each network needs more of than there is; the first of several."""
    found: list[str | None] = [None] * count
    for name, one in room.items():
        quantity, unit = name.rsplit("_", 1)
        needed = np.broadcast_to(np.asarray(one.needed), count)
        for place in np.flatnonzero(~np.broadcast_to(np.asarray(one.fits), count)):
            found[place] = found[place] or f"{quantity} {needed[place]:,} of {one.available:,} {unit}"
    return found
