"""A network as a graph of NIR, the Neuromorphic Intermediate Representation, for other simulators and chips.

The graph, with events as impulses, potentials in the units of fspinn and time in seconds (Pedersen et al.,
Nature Communications 15:8122, 2024, for the primitives; the mapping is this project's own)::

    input -> weights (Linear) -> neurons (LIF) -> output
                                 neurons -> inhibition (Linear) [-> delay (Delay)] -> neurons

Networks of layers without inhibition become another one: `fspinn.backends.nir.chains` says which.

- ``R = tau``, so that an impulse changes a potential by its weight.
- Thresholds, ``firing_threshold + theta``, are constants, one step of a double lower: NIR's neurons spike
  above them, those of fspinn also at them.
- `inhibition` takes the drop from all other neurons at once (``lateral``), or a time step later (``layer``).

NIR has no rule for neurons that reach their thresholds together, and its neurons spike each on its own; in a
network of fspinn with inhibition only the one furthest above its threshold does, once in a time step of
`dt_s`. The metadata of the graph say so (`spikes_per_step`), and what the network is (`network`, in JSON as
in a model file: also how samples become spikes), and what the readout is; if it listens to features, which
ones, and how they are scaled (`fspinn.model.features`): the last rows of its table are theirs. NIR has no
number formats: it gets the values.
"""

import json
from itertools import pairwise
from math import isinf
from pathlib import Path
from typing import Any

import numpy as np

from fspinn.backends.nir import chains
from fspinn.base.errors import ConfigError
from fspinn.base.files import replaced_when_whole
from fspinn.base.settings import as_plain
from fspinn.base.version import __version__
from fspinn.lowering.compiler import answering_plan
from fspinn.lowering.plan import Plan
from fspinn.model.model import AnyModel, Model, model_of


def export_nir(model: AnyModel, path: Path) -> None:
    """Write a network that answers as a graph of NIR.

    Parameters
    ----------
    model : Model
        Of one layer with inhibition by the threshold, or of layers without inhibition; or a result that
        holds one.
    path : Path
        Of the file, such as ``net.nir``; HDF5, as NIR has it.

    Raises
    ------
    ConfigError
        If NIR cannot express the network, the package `nir` is missing, or the file cannot be written.
    """
    nir = _package()
    graph = nir_graph(model)
    try:
        with replaced_when_whole(path) as temporary:
            nir.write(temporary, graph)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}); choose another file") from None


def nir_graph(model: AnyModel) -> Any:
    """Return a network as a `nir.NIRGraph`; the module says what is in it."""
    nir, model = _package(), model_of(model)
    floats = [layer.in_floats for layer in model.layers]
    plan = answering_plan(model.network, floats, model.image_shape)
    if (refusal := refuses(plan)) is not None:
        raise ConfigError(refusal)
    if _without_inhibition(plan):
        nodes = chains.nodes_of(nir, plan, model.readout)
        return nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes)), metadata=_metadata(model, plan))
    (layer,) = plan.layers
    neurons = layer.neurons
    nodes = {
        "input": nir.Input(input_type={"input": np.array([layer.inputs])}),
        "weights": nir.Linear(weight=np.ascontiguousarray(layer.weights.T)),
        "neurons": chains.neurons_of(nir, layer),
        "output": nir.Output(output_type={"output": np.array([neurons])}),
    }
    edges = [("input", "weights"), ("weights", "neurons"), ("neurons", "output")]
    if layer.drop > 0 and neurons > 1:
        nodes["inhibition"] = nir.Linear(weight=layer.drop * (np.eye(neurons) - 1.0))
        loop = ["neurons", "inhibition", "neurons"]
        if layer.inhibition == "layer":
            nodes["delay"] = nir.Delay(delay=np.full(neurons, plan.dt_ms / 1000))
            loop.insert(2, "delay")
        edges += list(pairwise(loop))
    return nir.NIRGraph(nodes=nodes, edges=edges, metadata=_metadata(model, plan))


def refuses(plan: Plan) -> str | None:
    """Return in one line why NIR has no words for a plan, or None if it has."""
    if _without_inhibition(plan):
        return chains.refuses(plan)
    if len(plan.layers) > 1:
        return "layers: NIR cannot express inhibition in a chain; use one layer, or 'none' in all of them"
    layer, dt_ms = plan.layers[0], plan.dt_ms
    if layer.geometry is not None:
        return "field: NIR cannot express inhibition at each position; use no field, or inhibition 'none'"
    if layer.inhibition == "first":
        return "inhibition: NIR has no winner-take-all, which 'first' is; train a network with 'lateral'"
    if isinf(layer.tau_m_ms):
        return "tau_m_ms: fspinn writes neurons with leak only to NIR; train a network with one"
    if layer.refractory_steps > 0:
        return chains.refuses_rest(layer, dt_ms)
    if layer.drop_part > 0:
        return "inhibition_of: NIR cannot express 'potential'; train a network with 'threshold'"
    if layer.inhibition not in ("lateral", "layer"):
        return f"inhibition: NIR cannot express {layer.inhibition!r}; train a network with 'lateral'"
    if layer.inhibition == "layer" and layer.inhibition_steps > 0:
        rest_ms = layer.inhibition_steps * dt_ms
        return (
            f"inhibition_ms: NIR cannot express that a layer rests for {rest_ms:g} ms; "
            "train a network with 0, or with inhibition 'lateral'"
        )
    return None


def _without_inhibition(plan: Plan) -> bool:
    return all(layer.inhibition == "none" for layer in plan.layers)


def _metadata(model: Model, plan: Plan) -> dict[str, Any]:
    readout = model.readout
    metadata: dict[str, Any] = {
        "fspinn": __version__,
        "dt_s": plan.dt_ms / 1000,
        "duration_s": plan.steps * plan.dt_ms / 1000,
        "network": json.dumps(as_plain(model.network)),
        "input_axes": chains.input_axes(plan),
        **({"reset": "v - v_threshold"} if _without_inhibition(plan) else {"spikes_per_step": 1}),
        "classes": ", ".join(model.class_names),
        "readout": readout.name,
        "readout_table": readout.table,
    }
    if readout.bias is not None:
        metadata["readout_bias"] = readout.bias
    if model.features is not None:
        metadata["features"] = ", ".join(model.features.names)
        metadata["features_low"] = np.array(model.features.scale.low)
        metadata["features_high"] = np.array(model.features.scale.high)
    return metadata


def _package() -> Any:
    try:
        import nir
    except ImportError:
        raise ConfigError("nir: the package is not installed; pip install 'fspinn[nir]'") from None
    return nir
