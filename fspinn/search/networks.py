"""The one place where searches read and change the settings of a network."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from fspinn.network.description import Network

NETWORK_SETTINGS = tuple(f.name for f in fields(Network) if f.name != "weight_norm")
"""Settings of a network that a search can vary."""

MULTIPLES = {
    "threshold": (0.4, 2.0),
    "inhibition": (0.4, 1.6),
    "inhibition_ms": (0.2, 5.0),
    "theta_step": (0.3, 4.0),
    "learning_rate": (0.2, 3.0),
    "learning_rate_end": (0.3, 30.0),
}
"""Where good settings are looked for, in multiples of a network's own (fspinn)."""

COSTLY = (
    "neurons",
    "dt_ms",
    "duration_ms",
    "encoder",
    "rate_norm_hz",
    "max_rate_hz",
    "first_spikes",
    "refractory_ms",
    "threshold",
    "answer_threshold",
    "inhibition_kind",
    "inhibition_ms",
    "rule",
    "window_ms",
    "adaptation",
    "normalisation",
    "weight_decay",
)
"""Settings of a network that its expected costs follow from."""


def setting(network: Network, name: str) -> Any:
    """Return one setting."""
    return getattr(network, name)


def with_settings(network: Network, values: Mapping[str, Any]) -> Network:
    """Return a network with other values of some settings."""
    return replace(network, **values)


def changed(network: Network) -> dict[str, Any]:
    """Return the settings that differ from the defaults, but for the number of neurons."""
    values = {f.name: (getattr(network, f.name), f.default) for f in fields(network) if f.name != "neurons"}
    return {name: value for name, (value, default) in values.items() if value != default}


def highest(network: Network, name: str) -> float:
    """Return the highest value that a setting can have in any case."""
    part = name == "learning_rate" or (name == "inhibition" and network.inhibition_of == "potential")
    return 1.0 if part else float("inf")


def unused(network: Network) -> set[str]:
    """Return those of `MULTIPLES`, and of their ends, that make no difference to such a network."""
    names = {"inhibition" if network.inhibition_kind == "clamp" else "inhibition_ms"}
    return names | ({"theta_step", "theta_step_end"} if network.adaptation == "off" else set())


def learner_of(network: Network) -> Network:
    """Return the network that learns: those that differ only in how they answer learn the same."""
    return replace(network, answer_threshold=None, answer_inhibition=None)


def settled(network: Network, learner: Network) -> Network:
    """Return a network with what was settled while its `learner_of` learned."""
    return replace(network, weight_norm=learner.weight_norm)


def cost_kind(network: Network) -> tuple[Any, ...]:
    """Return what the formulas of the cost model depend on, beside numbers."""
    kind = (network.inhibition_kind, network.rule, network.adaptation, network.normalisation)
    return (*kind, network.weight_decay > 0)


def cost_numbers(network: Network) -> dict[str, int]:
    """Return the numbers of a network in the formulas of the cost model, by the names of `Size`."""
    return {
        "n_neurons": network.neurons,
        "steps": network.steps,
        "window_steps": network.window_steps,
        "refractory_steps": network.refractory_steps,
        "inhibition_steps": network.inhibition_steps * (network.inhibition_kind != "lateral"),
    }
