"""What is in this model? In words, as plain values, and as equations."""

from typing import Any

from fspinn.backends.brian2.definition import text
from fspinn.backends.brian2.equations import define
from fspinn.base.settings import as_plain, differences
from fspinn.lowering.compiler import answering_plan, learning_plan
from fspinn.model.activity import Activity
from fspinn.model.model import Model
from fspinn.network.description import Network
from fspinn.network.rules import Stdp

_UNQUANTIZED = "float32"


def as_values(model: Model) -> dict[str, Any]:
    """Return what is in a model, but for its arrays, as plain values that fit in JSON."""
    return {
        "network": as_plain(model.network),
        "learner": as_plain(model.learner),
        "image_shape": list(model.image_shape),
        "inputs": model.layer.inputs_used,
        "classes": list(model.class_names),
        "readout": {
            "name": model.readout.name,
            "classes": model.readout.n_classes,
            "parameters": model.readout.parameter_count,
        },
        "formats": _formats(model),
        "activity": {
            name: [activity.as_dict() for activity in layers] for name, layers in model.activity.items()
        },
        "record": dict(model.record),
    }


def in_words(model: Model) -> dict[str, str]:
    """Return what is in a model as lines for a person, by what they are about."""
    network, learner, record = model.network, model.learner, model.record
    (layer,) = network.layers
    height, width = model.image_shape
    lines = {
        "network": f"{network.neurons} neurons, {model.layer.inputs_used} inputs "
        f"({height} x {width} pixels), {network.steps} time steps of {network.dt_ms:g} ms an image",
        "mechanisms": f"{learner.rule.kind} learning, {layer.inhibition.kind} inhibition, "
        f"{layer.adaptation.kind} thresholds, {network.encoder.kind} input",
        "settings": _settings(network, learner),
        "readout": f"{model.readout.name}, {model.readout.parameter_count} numbers for "
        f"{model.readout.n_classes} classes: {', '.join(model.class_names)}",
        "formats": ", ".join(f"{name} {format}" for name, format in _formats(model).items()),
    }
    for name, (activity, *_) in model.activity.items():
        lines[f"{name} activity"] = _activity(activity)
    if "dataset" in record:
        data = record["dataset"]
        lines["trained on"] = (
            f"{data['name']}, {data['train']} images ({data['validation']} held out for validation)"
        )
        lines["training"] = (
            f"passes {record['passes']}, seed {record['seed']}, engine {record['engine']}, "
            f"labels {record['labels']}"
        )
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
    """Return the equations that Brian2 integrates for this network, while it learns and when it answers."""
    floats = model.layer.in_floats
    weights, theta = floats.weights.values, floats.theta.values
    return {
        "learning": text(define(learning_plan(model.network, model.learner, weights, theta))),
        "answering": text(define(answering_plan(model.network, floats))),
    }


def _formats(model: Model) -> dict[str, str]:
    """Name the number format of each parameter."""
    formats = {
        "weights": model.layer.weights.format,
        "state": model.layer.state,
        "theta": model.layer.theta.format,
        "readout": model.readout.format,
    }
    return {name: str(format or _UNQUANTIZED) for name, format in formats.items()}


def _settings(network: Network, learner: Stdp) -> str:
    """Name all settings that are not the default."""
    changed = differences(network, Network()) | differences(learner, Stdp())
    named = [f"{name} {_short(value)}" for name, value in changed.items() if name != "neurons"]
    return ", ".join([*named, "all others by default"])


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _activity(activity: Activity) -> str:
    counts = {
        "input spikes": "input_spikes",
        "output spikes": "output_spikes",
        "synaptic additions": "synaptic_additions",
        "columns of weights written": "columns_written",
        "rows of weights written": "rows_written",
    }
    per_image = ", ".join(f"{activity.per_sample(name):,.1f} {words}" for words, name in counts.items())
    return f"{activity.samples} presentations, each with {per_image}"
