"""What is in this model? In words, as plain values, and as equations."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fspinn.backends.brian2.definition import text
from fspinn.backends.brian2.equations import define
from fspinn.base.settings import as_plain, differences
from fspinn.lowering.compiler import answering_plan, learning_plan
from fspinn.lowering.plan import Plan
from fspinn.model.activity import Activity
from fspinn.model.features import INPUTS, Features
from fspinn.model.model import Model
from fspinn.network.description import Network
from fspinn.network.inhibition import NoInhibition
from fspinn.network.inputs import block_of
from fspinn.network.layers import Layer, beta_of
from fspinn.network.learners import Learner, StdpLabels
from fspinn.network.rules import Stdp

_UNQUANTIZED = "float32"
_SAID = ("neurons", "field", "stride", "cells")
"""Settings that the line of each layer names."""


def as_values(model: Model) -> dict[str, Any]:
    """Return what is in a model, but for its arrays, as plain values that fit in JSON."""
    return {
        "network": as_plain(model.network),
        "learner": as_plain(model.learner),
        "image_shape": list(model.image_shape),
        "inputs": model.layers[0].inputs_used,
        "layers": [_layer_values(model, number) for number in range(len(model.layers))],
        "classes": list(model.class_names),
        "readout": {
            "name": model.readout.name,
            "classes": model.readout.n_classes,
            "parameters": model.readout.parameter_count,
        },
        "features": None if model.features is None else asdict(model.features),
        "formats": _formats(model, 0),
        "activity": {
            name: [activity.as_dict() for activity in layers] for name, layers in model.activity.items()
        },
        "record": dict(model.record),
    }


def in_words(model: Model) -> dict[str, str]:
    """Return what is in a model as lines for a person, by what they are about."""
    network, learner, record = model.network, model.learner, model.record
    lines = {"network": _network(model)}
    if len(network.layers) > 1 or network.layers[0].field is not None:
        for number in range(len(network.layers)):
            lines[_named("layer", number, model)] = _layer(model, number)
    lines |= {
        "mechanisms": f"{_learning(learner)} learning, {_kinds(network, 'inhibition')} inhibition, "
        f"{_kinds(network, 'adaptation')} thresholds, {_input(network)} input",
        "settings": _settings(network, learner),
        "leak": _leak(network),
        "readout": f"{model.readout.name}, {model.readout.parameter_count} numbers for "
        f"{model.readout.n_classes} classes: {', '.join(model.class_names)}",
    }
    if model.features is not None:
        lines["features"] = _features(model.features)
    for number in range(len(network.layers)):
        formats = _formats(model, number).items()
        lines[_named("formats", number, model)] = ", ".join(f"{name} {format}" for name, format in formats)
    for name, layers in model.activity.items():
        for number, activity in enumerate(layers):
            where = ", on a host" if name == "training" and type(learner) is not Stdp else ""
            lines[_named(f"{name} activity", number, model)] = _activity(activity) + where
    if "dataset" in record:
        data = record["dataset"]
        lines["trained on"] = (
            f"{data['name']}, {data['train']} images ({data['validation']} held out for validation)"
        )
        lines["training"] = (
            f"passes {record['passes']}, seed {record['seed']}, engine {record['engine']}, "
            f"labels {record['labels']}"
        )
        if isinstance(learner, StdpLabels):
            lines["training"] += f"; labels then tuned it in {learner.tuning_passes} passes"
        if record.get("class_weight") is not None:
            lines["training"] += f", class weight {record['class_weight']}"
    accuracies = [
        f"{value:.2%} on {name.removesuffix('_accuracy')} images"
        for name, value in record.items()
        if name.endswith("_accuracy")
    ]
    lines["accuracy"] = ", ".join(accuracies) or "not measured; try `fspinn evaluate`"
    if "versions" in record:
        lines["made with"] = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return lines


def equations(model: Model) -> dict[str, str]:
    """Return the equations that Brian2 integrates for this network, while it learns and when it answers.

    Those of a layer with a field are of one position; layers follow one another.
    """
    layers, shape = [layer.in_floats for layer in model.layers], model.image_shape
    answering = answering_plan(model.network, layers, shape)
    found = {"answering": _text([replace(answering, layers=(layer,)) for layer in answering.layers])}
    alone = any(isinstance(layer.inhibition, NoInhibition) for layer in model.network.layers)
    if alone or not isinstance(model.learner, Stdp):
        return found
    learning = [
        learning_plan(
            model.network,
            model.learner,
            layer.weights.values,
            layer.theta.values,
            shape=shape,
            below=layers[:number],
        )
        for number, layer in enumerate(layers)
    ]
    return {"learning": _text([replace(plan, layers=plan.layers[-1:]) for plan in learning]), **found}


def _text(plans: Sequence[Plan]) -> str:
    """Return the equations of plans of one layer each."""
    if len(plans) == 1:
        return text(define(plans[0]))
    return "\n\n".join(
        f"Layer {number}\n\n{text(define(plan))}" for number, plan in enumerate(plans, start=1)
    )


def _network(model: Model) -> str:
    network, shape = model.network, model.image_shape
    seen = f"{shape[0]} x {shape[1]} pixels" + (f", {shape[2]} channels" if len(shape) > 2 else "")
    rows, columns = block_of(network.pool, shape)
    seen += f", means of {rows} x {columns}" if columns > 1 else ""
    dense = len(network.layers) == 1 and network.layers[0].field is None
    inputs = f"{model.layers[0].inputs_used} inputs ({seen})" if dense else f"images of {seen}"
    return f"{network.neurons} neurons, {inputs}, {network.steps} time steps of {network.dt_ms:g} ms an image"


def _layer(model: Model, number: int) -> str:
    """Say what the neurons of a layer see, and what it answers with."""
    layer, shape = model.network.layers[number], model.network.input_shape(model.image_shape, number)
    channels = f" of {shape[2]} channels" if shape[2] > 1 else ""
    inputs = f"{model.layers[number].inputs_used} inputs"
    settings = _short(differences(layer, Layer())) if len(model.layers) > 1 else []
    more = f"; {', '.join(settings)}" if settings else ""
    if layer.field is None:
        return f"{layer.neurons} neurons that see all {inputs}; {layer.features} features{more}"
    rows, columns = layer.positions(*shape[:2])
    return (
        f"{layer.neurons} neurons with a field of {layer.field[0]} x {layer.field[1]}{channels} ({inputs}) "
        f"at {rows} x {columns} positions, stride {layer.stride}; {layer.cells[0]} x {layer.cells[1]} cells "
        f"x {layer.neurons} neurons = {layer.features} features{more}"
    )


def _layer_values(model: Model, number: int) -> dict[str, Any]:
    layer, shape = model.network.layers[number], model.network.input_shape(model.image_shape, number)
    return {
        "neurons": layer.neurons,
        "inputs": model.layers[number].inputs_used,
        "input_shape": list(shape),
        "positions": list(layer.positions(*shape[:2])),
        "features": layer.features,
        "formats": _formats(model, number),
    }


def _features(features: Features) -> str:
    ranges = zip(features.names, features.scale.low, features.scale.high, strict=True)
    named = ", ".join(f"{name} ({low:g} to {high:g})" for name, low, high in ranges)
    return f"{named}; {INPUTS} inputs of the readout for each"


def _named(what: str, number: int, model: Model) -> str:
    return what if len(model.layers) == 1 else f"{what} {number + 1}"


def _kinds(network: Network, part: str) -> str:
    """Name the kind of a part of all layers, once if it is the same in each."""
    return ", ".join(dict.fromkeys(getattr(layer, part).kind for layer in network.layers))


def _input(network: Network) -> str:
    contrast = "" if network.contrast.channels == 1 else f"{network.contrast.kind} "
    return f"{contrast}{network.encoder.kind}"


def _formats(model: Model, number: int) -> dict[str, str]:
    """Name the number format of each parameter of a layer, and of the readout."""
    layer = model.layers[number]
    formats = {"weights": layer.weights.format, "state": layer.state, "theta": layer.theta.format}
    if number == len(model.layers) - 1:
        formats["readout"] = model.readout.format
    return {name: str(format or _UNQUANTIZED) for name, format in formats.items()}


def _learning(learner: Learner) -> str:
    """Return who learned, and by which rule."""
    if not isinstance(learner, Stdp):
        return learner.kind
    return learner.rule.kind if type(learner) is Stdp else f"{learner.kind} ({learner.rule.kind})"


def _leak(network: Network) -> str:
    """Say what a time step leaves of a potential, once if it is the same in all layers."""
    said = []
    for layer in network.layers:
        tau = layer.neuron.tau_m_ms
        beta = beta_of(tau, network.dt_ms)
        said.append("none (beta 1)" if tau is None else f"beta {beta:.4g} (tau_m_ms {tau:.6g})")
    return ", ".join(dict.fromkeys(said))


def _settings(network: Network, learner: Learner) -> str:
    """Name all settings that are not the default, but for those of layers where there are several."""
    if len(network.layers) > 1:
        network = replace(network, layers=Network().layers)
    changed = differences(network, Network()) | differences(learner, type(learner)())
    return ", ".join([*_short(changed), "all others by default"])


def _short(changed: Mapping[str, Any]) -> list[str]:
    """Return settings with their values, but for those that the lines of layers name."""
    named = []
    for name, value in changed.items():
        said = f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)
        if name not in _SAID:
            named.append(f"{name} {said}")
    return named


def _activity(activity: Activity) -> str:
    counts = {
        "input spikes": "input_spikes",
        "output spikes": "output_spikes",
        "synaptic additions": "synaptic_additions",
        "columns of weights written": "columns_written",
        "rows of weights written": "rows_written",
    }
    if activity.positions > activity.samples:
        counts = {"positions": "positions", "time steps": "steps", **counts}
    per_image = ", ".join(f"{activity.per_sample(name):,.1f} {words}" for words, name in counts.items())
    return f"{activity.samples} presentations, each with {per_image}"
