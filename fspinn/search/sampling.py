"""How does Optuna draw candidates from a space, and the cost model refuse those that cannot be?"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from fspinn.base.errors import ConfigError
from fspinn.base.randomness import CANDIDATES, stream_key
from fspinn.base.settings import settings_of
from fspinn.search.candidates import Candidate, Variant
from fspinn.search.jobs import Job
from fspinn.search.ledger import Ledger
from fspinn.search.space import VARIANT_SETTINGS, Range, Space
from fspinn.search.trial import Outcome

if TYPE_CHECKING:
    import optuna

SAMPLERS = ("auto", "gp", "tpe", "random")

STARTUP = 10
"""Networks that are drawn at random before a sampler has something to go by (Optuna's own number)."""

MOST_DRAWS = 1000
"""Draws in a row that the cost model may reject before a strategy gives up."""

LEAST = 1e-12
"""Stands for a cost of 0, which has no logarithm."""


@dataclass
class Drawing:
    """Draws networks from a space; what it draws is a function of the seed and of the results so far.

    The first is the network that the space is around, as far as its settings are among those to choose from.
    """

    study: "optuna.Study"
    space: Space
    ledger: Ledger
    sampler: str
    trials: int
    _drawn: int = 0
    _variants: list[Variant] = field(init=False)
    _distributions: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._variants = self.space.variants()
        self._distributions = {
            name: _distribution(choices)
            for name, choices in self.space.settings.items()
            if name not in VARIANT_SETTINGS and (isinstance(choices, Range) or len(choices) > 1)
        }
        self.study.enqueue_trial(self._given())

    def draw(self) -> "tuple[optuna.Trial, Job] | None":
        """Return a trial, and its network with all variants that keep to the limits.

        None once all are drawn, or if the cost model rejects one draw after the other.
        """
        import optuna

        if self._drawn >= self.trials:
            return None
        for attempt in range(MOST_DRAWS):
            number = stream_key(self.ledger.seed, CANDIDATES, self._drawn * MOST_DRAWS + attempt) % 2**32
            self.study.sampler = self._sampler(number)
            trial = self.study.ask(self._distributions)
            job = self._job(trial.params)
            if job is not None:
                self._drawn += 1
                return trial, job
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return None

    @property
    def networks_left(self) -> int:
        """How many are to be drawn."""
        return self.trials - self._drawn

    def neurons_left(self) -> float:
        """Return the neurons of the networks to draw, if they are like those that were measured."""
        unmeasured = (Outcome.UNTRIED, Outcome.OVER_LIMIT, Outcome.FAILED, Outcome.UNFINISHED)
        trials = self.ledger.trials.values()
        drawn = {t.candidate.network for t in trials if t.confusions or t.outcome not in unmeasured}
        mean = sum(network.neurons for network in drawn) / max(1, len(drawn))
        return mean * self.networks_left

    def tell(
        self,
        trial: "optuna.Trial",
        values: list[float] | None,
        constraints: Mapping[str, float] | None = None,
    ) -> None:
        """Finish a trial; without values it failed."""
        import optuna

        if values is None:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for name, value in (constraints or {}).items():
            trial.set_constraint(name, value)
        self.study.tell(trial, values)

    def drop(self, trial: "optuna.Trial") -> None:
        """Finish a trial that goes no further."""
        import optuna

        self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)

    def _job(self, params: Mapping[str, Any]) -> Job | None:
        """Return the network that some parameters make; None if it is beyond a limit, or there is none."""
        values = {name: _value(self.space.settings[name], param) for name, param in params.items()}
        try:
            setup = self.space.training(values)
        except ConfigError:  # settings that do not go together
            return None
        candidates = [Candidate(setup, each) for each in self._variants]
        self.ledger.expect(candidates)
        return self.ledger.job(candidates)

    def _given(self) -> dict[str, Any]:
        """Return the parameters that make the network of the base."""
        settings = settings_of(self.space.base)
        given: dict[str, Any] = {}
        for name in self._distributions:
            choices, value = self.space.settings[name], settings.get(name)
            if value in choices:
                given[name] = value
                if not isinstance(choices, Range) and _ordered(choices):
                    given[name] = choices.index(value)
        return given

    def _sampler(self, number: int) -> "optuna.samplers.BaseSampler":
        from optuna import samplers

        name = chosen_sampler(self.sampler)
        if name == "random" or self._drawn < STARTUP:
            return samplers.RandomSampler(seed=number)
        if name == "gp":
            return samplers.GPSampler(seed=number, n_startup_trials=0)
        return samplers.TPESampler(seed=number, n_startup_trials=0, multivariate=True)


def study_in_memory(accuracy: bool, costs: int) -> "optuna.Study":
    """Return an empty study of so many costs that should be little, and perhaps of an accuracy, which not."""
    import optuna

    goals: list[Literal["minimize", "maximize"]] = ["maximize"] if accuracy else []
    goals += ["minimize" for _ in range(costs)]
    return optuna.create_study(directions=goals)


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Let Optuna say nothing but errors while the block runs, and tqdm nothing when it is imported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")  # a notebook without ipywidgets
        import optuna
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def chosen_sampler(name: str) -> str:
    """Return the sampler that a name means here.

    Raises
    ------
    ConfigError
        If there is none of that name, or it needs torch and that is not installed.
    """
    if name not in SAMPLERS:
        raise ConfigError(f"sampler: there is no {name!r}; use one of {', '.join(SAMPLERS)}")
    has_torch = find_spec("torch") is not None
    if name == "gp" and not has_torch:
        raise ConfigError("sampler: gp needs torch; pip install torch, or use tpe")
    if name == "auto":
        return "gp" if has_torch else "tpe"
    return name


def _distribution(choices: Any) -> Any:
    """Return the distribution of a setting; numbers that are listed are drawn by their place in the list."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(choices, Range):
        if _ordered(choices):
            return IntDistribution(0, len(choices) - 1)
        return CategoricalDistribution(choices)
    if choices.whole:
        return IntDistribution(
            int(choices.low), int(choices.high), log=choices.log, step=int(choices.step or 1)
        )
    return FloatDistribution(choices.low, choices.high, log=choices.log, step=choices.step)


def _value(choices: Any, param: Any) -> Any:
    return choices[param] if not isinstance(choices, Range) and _ordered(choices) else param


def _ordered(choices: tuple[Any, ...]) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in choices)
    return numbers and list(choices) == sorted(choices)
