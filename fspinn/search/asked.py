"""What is a search asked for? All of it that makes sense or not whatever the data are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fspinn.base.checks import MAX_SEED, whole_number
from fspinn.base.errors import ConfigError
from fspinn.learning.surrogate import check_installed
from fspinn.memmodel import Hardware, load_hardware
from fspinn.model.readout import check_class_weight, check_name
from fspinn.network.description import Network
from fspinn.network.layers import MAX_NEURONS
from fspinn.network.learners import Learner
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup, check_competition, check_rates
from fspinn.quant.formats import check_format
from fspinn.search import quantities
from fspinn.search.candidates import FLOAT
from fspinn.search.constraints import Constraints, check_measures, within_device
from fspinn.search.sampling import chosen_sampler
from fspinn.search.space import Space, read_space

DRAWING = ("bayes", "halving")
STRATEGIES = ("ladder", *DRAWING)
"""By name; those that draw networks do so with Optuna."""

TRIALS = 40
"""Networks that these draw, unless it is said how many."""

MOST_TRIALS = 100_000


@dataclass(frozen=True)
class Asked:
    """What a search is asked for; the fields are those of `fspinn.find_smallest`, checked.

    Parameters
    ----------
    constraints : Constraints
        Within what the device has.
    hardware : Hardware
    minimize : tuple of str
    sampler : str
    network : Network or None
    learners : tuple of Learner
    trials, seeds, seed : int
    budget_s : float or None
    """

    constraints: Constraints
    hardware: Hardware
    minimize: tuple[str, ...]
    sampler: str
    network: Network | None
    learners: tuple[Learner, ...]
    trials: int
    seeds: int
    seed: int
    budget_s: float | None

    @property
    def base(self) -> Setup:
        """All settings that a space leaves open."""
        return Setup(self.network or Network(), self.learners[0])


def ask(
    constraints: Constraints,
    *,
    minimize: str | Sequence[str],
    hardware: str,
    strategy: str,
    sampler: str,
    space: Space | Mapping[str, Any] | str | Path | None,
    network: Network | None,
    learner: Learner | Sequence[Learner] | None,
    sizes: Sequence[int] | None,
    weights: Sequence[str] | None,
    readouts: Sequence[str] | None,
    class_weight: str | None,
    trials: int | None,
    budget: str | float | None,
    seeds: int,
    seed: int,
) -> Asked:
    """Return what a search is asked for; parameters and errors are those of `fspinn.find_smallest`."""
    if isinstance(space, Space):
        if network not in (None, space.base.network) or learner not in (None, space.base.learner):
            raise ConfigError("network: the space has another one, or another learner; leave one of them out")
        network, learner = space.base.network, space.base.learner
    learners = _learners(learner)
    if strategy not in STRATEGIES:
        raise ConfigError(f"strategy: there is no {strategy!r}; use one of {', '.join(STRATEGIES)}")
    if len(learners) > 1 and (strategy != "ladder" or space is not None):
        raise ConfigError(
            "learner: only the ladder, without a space, tries several; give one, or list them in the space"
        )
    if strategy == "ladder" and trials is not None:
        raise ConfigError(
            "trials: the ladder draws no networks; leave it out, or take the strategy bayes or halving"
        )
    chosen = chosen_sampler(sampler)
    if strategy == "ladder" and sampler != "auto":
        raise ConfigError(
            "sampler: the ladder draws no networks; leave it out, or take the strategy bayes or halving"
        )
    check_class_weight(class_weight)
    for one in learners:
        check_competition((network or Network()), one)
        check_rates((network or Network()), one)
        check_installed(one)
    described = load_hardware(hardware)
    minimize = (minimize,) if isinstance(minimize, str) else tuple(minimize)
    if len(set(minimize)) < len(minimize):
        raise ConfigError("minimize: names a quantity twice; name each once")
    check_measures([*minimize, *(constraints.limits if minimize else ())], described, learners)
    for format in weights or ():
        check_format("weights", format, words=(FLOAT,))
    for readout in readouts or ():
        check_name(readout)
    for size in sizes or ():
        whole_number("sizes", size, 1, MAX_NEURONS)
    seeds = whole_number("seeds", seeds, 1, 100)
    found = Asked(
        within_device(constraints, described),
        described,
        minimize,
        chosen,
        network,
        learners,
        whole_number("trials", TRIALS if trials is None else trials, 1, MOST_TRIALS),
        seeds,
        whole_number("seed", seed, 0, MAX_SEED + 1 - seeds),  # the finalists take those that follow
        None if budget is None else quantities.parse("budget", budget, quantities.TIME),
    )
    if isinstance(space, str | Path) and (strategy == "ladder" or type(learners[0]) is Stdp):
        read_space(space, found.base)  # of other learners it starts from what suits the images
    return found


def _learners(given: Learner | Sequence[Learner] | None) -> tuple[Learner, ...]:
    if given is None:
        return (Stdp(),)
    several = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    if not several:
        raise ConfigError("learner: there is none; give at least one, such as fspinn.Stdp()")
    for one in several:
        if not isinstance(one, Learner):
            raise ConfigError(f"learner: {one!r} is not a learner; give one, such as fspinn.Stdp()")
    return tuple(dict.fromkeys(several))
