"""How does Optuna draw candidates from a space, and the cost model refuse those that cannot be?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fspinn.base.errors import ConfigError
from fspinn.base.randomness import CANDIDATES, stream_key
from fspinn.search.candidates import Candidate, Variant
from fspinn.search.costs import Cost
from fspinn.search.jobs import Job
from fspinn.search.ledger import Ledger
from fspinn.search.space import VARIANT_SETTINGS, Range, Space
from fspinn.search.study import Study

if TYPE_CHECKING:
    import optuna

SAMPLERS = ("auto", "gp", "tpe", "random")

STARTUP = 10
"""Networks that are drawn at random before a sampler has something to go by (Optuna's own number)."""

MOST_DRAWS = 1000
"""Draws in a row that the cost model may reject before a strategy gives up."""

Costs = Callable[[list[Candidate]], list[Cost]]


@dataclass
class Drawing:
    """Draws networks from a space; what it draws is a function of the seed and of what was told before.

    Parameters
    ----------
    study : optuna.Study
    record : Study
        Of the jobs.
    space : Space
    ledger : Ledger
    costs : callable
        Returns the expected costs of candidates.
    sampler : str
        One of `SAMPLERS`.
    trials : int
        Networks to draw.
    """

    study: "optuna.Study"
    record: Study
    space: Space
    ledger: Ledger
    costs: Costs
    sampler: str
    trials: int
    _drawn: int = field(init=False)
    _variants: list[Variant] = field(init=False)
    distributions: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._variants = self.space.variants()
        self._drawn = 0
        for trial in self.study.get_trials(deepcopy=False):
            if "drawn" in trial.user_attrs and not self._cut_off(trial):
                self._drawn += 1
                self._remember(trial.user_attrs["drawn"])
        self.distributions = {
            name: _distribution(choices)
            for name, choices in self.space.settings.items()
            if name not in VARIANT_SETTINGS and (isinstance(choices, Range) or len(choices) > 1)
        }

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
            trial = self.study.ask(self.distributions)
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
        drawn = {candidate.network for candidate in (*self.ledger.correct, *self.ledger.early)}
        mean = sum(network.neurons for network in drawn) / max(1, len(drawn))
        return mean * (self.trials - self._drawn)

    def mark(self, trial: "optuna.Trial", jobs: Sequence[Job]) -> None:
        """Note which jobs a trial was, for a search that goes on after a kill."""
        trial.set_user_attr("drawn", [self.record.key(job) for job in jobs])

    def _cut_off(self, trial: "optuna.trial.FrozenTrial") -> bool:
        """Return whether a kill kept the sampler from being told of a trial: it will be drawn again."""
        import optuna

        _, outcome = self.record.done(trial.user_attrs["drawn"][-1])
        measured = any(measurement.correct is not None for measurement in outcome.measurements)
        return measured and trial.state == optuna.trial.TrialState.FAIL

    def _remember(self, keys: Sequence[str]) -> None:
        """Take note of the jobs of a trial that was drawn before."""
        for job, outcome in map(self.record.done, keys):
            self._expect([Candidate(job.network, variant, job.passes) for variant in self._variants])
            self.ledger.note(job, outcome)

    def _expect(self, candidates: list[Candidate]) -> None:
        self.ledger.expect(dict(zip(candidates, self.costs(candidates), strict=True)))

    def tell(
        self, trial: "optuna.Trial", values: list[float] | None, constraints: Mapping[str, float]
    ) -> None:
        """Finish a trial; without values it failed."""
        import optuna

        if values is None:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for name, value in constraints.items():
            trial.set_constraint(name, value)
        self.study.tell(trial, values)

    def _job(self, params: Mapping[str, Any]) -> Job | None:
        """Return the network that some parameters make; None if it is beyond a limit, or there is none."""
        values = {name: _value(self.space.settings[name], param) for name, param in params.items()}
        try:
            network, passes = self.space.training(values)
        except ConfigError:  # settings that do not go together
            return None
        candidates = [Candidate(network, each, passes) for each in self._variants]
        self._expect(candidates)
        variants = tuple(c.variant for c in candidates if c not in self.ledger.rejected)
        return Job(network, passes, self.ledger.seed, variants) if variants else None

    def _sampler(self, number: int) -> "optuna.samplers.BaseSampler":
        from optuna import samplers

        name = chosen_sampler(self.sampler)
        if name == "random" or self._drawn < STARTUP:
            return samplers.RandomSampler(seed=number)
        if name == "gp":
            return samplers.GPSampler(seed=number, n_startup_trials=0)
        return samplers.TPESampler(seed=number, n_startup_trials=0, multivariate=True)


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
