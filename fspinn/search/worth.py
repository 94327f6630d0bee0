"""Is a spiking network worth it here? The answer of a search beside classifiers without spikes, in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fspinn.search.baselines import best_of
from fspinn.search.constraints import MEASURES
from fspinn.search.metrics import metric_of

FIELDS = {"memory": "memory_bits", "energy": "energy_pj", "latency": "latency_s", "synops": "macs"}
"""Costs that a classifier without spikes has too. Its operations are all MACs; those of a network count the
readout's as well."""

PRICED = ("energy", "latency", "area")
"""Limits that a classifier without spikes may not be known to keep to: hardware has to price it."""


class Worth(NamedTuple):
    """Whether a spiking network is worth it, None where none was found; and why.

    Parameters
    ----------
    spiking : bool or None
    by : str
        The cost that decides, by the name of its limit.
    rival : mapping or None
        The classifier without spikes that it is compared with, as `fspinn.search.baselines.Baseline.as_dict`
        gives it; None where none is known to keep to the limits, or none could be fitted.
    claim, reason : str
        A sentence, and those that follow.
    """

    spiking: bool | None
    by: str
    rival: Mapping[str, Any] | None
    claim: str
    reason: str

    @property
    def words(self) -> str:
        """All sentences."""
        return f"{self.claim} {self.reason}".strip()


def worth(
    answer: Mapping[str, Any],
    percent: Callable[[float], str] = "{:.1%}".format,
    amount: Callable[[str, float], str] = lambda name, cost: MEASURES[name].format(cost),
) -> Worth:
    """Return whether a spiking network is worth it here.

    A classifier is as accurate if it is proven to reach the target, as a network has to be, and an
    alternative if it is known to keep to the limits. What was minimised first decides; memory, where a
    classifier has no such cost or the hardware cannot price it, and then the claim says so.

    `answer` is as `fspinn.search.SearchResult.as_dict` gives it; `percent` writes an accuracy, `amount` a
    cost by the name of its limit.
    """
    baselines = answer["baselines"]
    if not baselines:
        return Worth(None, "memory", None, "Not known: no classifier without spikes could be fitted.", "")
    by, asked = answer["minimize"][0], answer["minimize"][0]
    if by not in FIELDS or any(one[FIELDS[by]] is None for one in baselines):
        by = "memory"
    field = FIELDS[by]
    allowed = [one for one in baselines if _within(one, answer["constraints"])]
    target = f"{percent(answer['target_accuracy'])}{metric_of(answer['metric']).after_percent}"
    rival = best_of(allowed, answer["target_accuracy"], field)
    if rival is None:
        return _beyond(answer, by)
    instead = "" if by == asked else f"{_not_compared(asked, answer['hardware'])}; by {by}, "
    name, share, cost = called(rival), percent(rival["accuracy"]), rival[field]
    what = " operations an image in all" if by == "synops" else MEASURES[by].what
    taken, meets = f"{amount(by, cost)}{what}", rival["proven_accuracy"] >= answer["target_accuracy"]
    if not answer["found"]:
        is_proven = f"is proven to reach {target}" if meets else f"is not proven to reach {target} either"
        claim = f"Without spikes, {name} {is_proven}."
        return Worth(None, by, rival, claim, f"It has {share} in {taken}.")
    own, much = cost_of(answer, by), "as many" if MEASURES[by].many else "as much"
    also = _also(answer, rival, by, amount)
    if not meets:
        keeps = "" if len(allowed) == len(baselines) else "that keeps to the limits "
        claim = (
            f"Yes: neither a linear classifier nor a {_anns(baselines)} {keeps}is proven to reach {target}."
        )
        reason = f"The most accurate is {name}: {share} in {taken}, {_beside(cost, own, much)}."
        return Worth(True, by, rival, claim, f"{reason} {also}".strip())
    if cost <= own:
        claim = f"Not here: {instead}{name} {(_IS_AS_GOOD if cost == own else _IS_BETTER)[by]}."
        reason = f"It is proven to reach {target} too, with {share}, and takes {taken}; the network takes "
        reason += f"{amount(by, own)}{what}{'' if cost == own else f', {_ratio(own, cost)} {much}'}."
        return Worth(False, by, rival, claim, f"{reason} {also}".strip())
    others = "each linear classifier and quantized ANN that is as accurate"
    claim = f"Yes: {instead}the network {_IS_BETTER[by]} than {others}."
    reason = f"The best of those that are proven to reach {target} too is {name}: {share} in {taken}, "
    return Worth(True, by, rival, claim, f"{reason}{_beside(cost, own, much)}. {also}".strip())


def linear_choice(
    baselines: Sequence[Mapping[str, Any]], constraints: Mapping[str, Any], target: float, by: str
) -> int | None:
    """Return the number of the linear classifier that is worth having as a file, None if there is none.

    It is proven to reach the target and known to keep to all limits; of several, it has the least of what is
    minimised first, or of memory as in `worth`.
    """
    field = FIELDS.get(by, "memory_bits")
    if any(one[field] is None for one in baselines):
        field = "memory_bits"
    linear = [
        number
        for number, one in enumerate(baselines)
        if one["hidden"] is None and one["proven_accuracy"] >= target and _within(one, constraints)
    ]
    costs = {number: (baselines[number][field], baselines[number]["memory_bits"]) for number in linear}
    return min(costs, key=lambda number: costs[number], default=None)


def called(one: Mapping[str, Any]) -> str:
    """Return what a baseline is, for people."""
    weights = f"{one['weight_bits']}-bit weights"
    if one["hidden"] is None:
        return f"a linear classifier with {weights}"
    return f"a quantized ANN of {one['hidden']} ReLUs with {weights}"


def cost_of(answer: Mapping[str, Any], name: str) -> float:
    """Return a cost of the network that was found; of its operations all, those of the readout too."""
    if name == "synops" and answer.get("operations") is not None:
        return float(answer["operations"])
    return float(answer[MEASURES[name].field])


_IS_BETTER = {
    "memory": "is smaller",
    "energy": "needs less energy",
    "latency": "is quicker",
    "synops": "needs fewer operations",
}
_IS_AS_GOOD = {
    "memory": "is as small",
    "energy": "needs no more energy",
    "latency": "is as quick",
    "synops": "needs no more operations",
}


def _within(one: Mapping[str, Any], constraints: Mapping[str, Any]) -> bool:
    """Return whether a classifier is known to keep to the limits.

    Flash is what does not change, RAM the sums; its program counts in neither, as it is the same for all.
    """
    sums = one["memory"].get("accumulators", 0)
    costs = {name: one.get(field) for name, field in FIELDS.items()}
    costs |= {"flash": one["memory_bits"] - sums, "ram": sums, "area": None}
    limits = ((cost, constraints.get(name)) for name, cost in costs.items())
    return all(limit is None or (cost is not None and cost <= limit) for cost, limit in limits)


def _beyond(answer: Mapping[str, Any], by: str) -> Worth:
    """Return what there is to say where no classifier is known to keep to the limits."""
    baselines, constraints = answer["baselines"], answer["constraints"]
    limited = [name for name in PRICED if constraints.get(name) is not None]
    unknown = [name for name in limited if all(one.get(FIELDS.get(name)) is None for one in baselines)]
    keeps = "is known to keep" if unknown else "keeps"
    none = f"o linear classifier and no {_anns(baselines)} {keeps} to the limits"
    reason = ""
    if unknown:
        nouns = " and ".join(MEASURES[name].noun for name in unknown)
        reason = f"What they need of {nouns} on {answer['hardware']} is not known."
    if answer["found"]:
        return Worth(True, by, None, f"Yes: n{none}.", reason)
    return Worth(None, by, None, f"N{none} either.", reason)


def _not_compared(asked: str, hardware: str) -> str:
    """Return that what was minimised cannot be compared."""
    where = f" on {hardware}" if asked in PRICED else ""
    return f"{MEASURES[asked].noun} cannot be compared{where}"


def _anns(baselines: Sequence[Mapping[str, Any]]) -> str:
    """Return which ANNs were fitted."""
    widths = sorted({one["hidden"] for one in baselines if one["hidden"] is not None})
    if len(widths) < 2:
        return f"quantized ANN{f' of {widths[0]} ReLUs' if widths else ''}"
    return f"quantized ANN of {widths[0]} to {widths[-1]} ReLUs"


def _also(
    answer: Mapping[str, Any], rival: Mapping[str, Any], by: str, amount: Callable[[str, float], str]
) -> str:
    """Return another cost of both, where it is known: energy beside memory, else memory."""
    other, what = ("energy", "energy an image") if by == "memory" else ("memory", "memory")
    own, its = answer[MEASURES[other].field], rival[FIELDS[other]]
    if own is None or its is None:
        return ""
    compared = "more than" if its > own else "less than" if its < own else "as much as"
    return (
        f"The classifier needs {amount(other, its)} of {what}, {compared} the network's {amount(other, own)}."
    )


def _beside(cost: float, own: float, much: str) -> str:
    """Return how a cost compares with that of the network."""
    if cost < own:
        return f"{100 * cost / own:.2g} % of what the network takes"
    return f"{_ratio(cost, own)} {much} as the network"


def _ratio(more: float, less: float) -> str:
    factor = more / less if less else float("inf")
    return f"{factor:,.0f} times" if factor >= 10 else f"{factor:.2g} times"
