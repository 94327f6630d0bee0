"""Which settings make a given network accurate? Random candidates, successive halving, validation images.

After Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (AISTATS
2016), with thirds instead of halves: all candidates learn for a ninth of the presentations, the best third
of them for a third, the best third of those for all. Learning rate and threshold step are annealed over the
presentations that a candidate gets. The given network is candidate 0 and learns for all of them in any case,
so that the result is never worse than it on the validation images.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fspinn.base.background import interruptible
from fspinn.base.checks import checked_seed, whole_number
from fspinn.base.cores import available_cores
from fspinn.base.errors import ConfigError, UnfinishedError
from fspinn.base.jit import compiling, will_compile
from fspinn.base.progress import progress_bar
from fspinn.base.randomness import CANDIDATES, stream_key, uniforms
from fspinn.base.settings import settings_of, with_settings
from fspinn.base.streams import on_terminal, say
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.origin import origin
from fspinn.learning.training import learn, most_passes
from fspinn.memmodel import load_hardware
from fspinn.network.description import Network
from fspinn.network.learners import Learner, Surrogate
from fspinn.network.recordings import check_encoder
from fspinn.network.rules import Stdp
from fspinn.network.setup import Setup, check_competition, check_rates
from fspinn.search.candidates import Variant
from fspinn.search.execution import carry_out
from fspinn.search.halving import FACTOR, RUNGS
from fspinn.search.jobs import Job, JobResult, SearchContext, Source, images_and_passes
from fspinn.search.journal import Journal
from fspinn.search.networks import MULTIPLES, highest
from fspinn.search.trial import Outcome, Trial
from fspinn.search.tuned import TuningResult
from fspinn.search.workers import threads_here

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

THETA_STEP_END = (0.01, 0.3)
"""Least and most of `theta_step_end`, in multiples of `theta_step`; half of all have 0 (fspinn)."""

MAX_TRIALS = 10_000


def tune(
    network: Network,
    data: "Dataset",
    *,
    learner: Learner = Stdp(),
    trials: int = 27,
    readout: str = "proportion",
    seed: int = 0,
    threads: int | None = None,
    progress: bool = True,
    on_trial: Callable[[Trial], None] | None = None,
) -> TuningResult:
    """Find threshold, inhibition, threshold step and learning rate, with their ends, for a network.

    Its size, encoder, rule and kind of inhibition stay as given. With `seed` and `readout` of the
    tuning, `fspinn.train` of the result (`setup`) reaches the same validation accuracy again.

    Parameters
    ----------
    network : Network
    learner : Learner, default Stdp()
        Candidate 0; the others are drawn around it. Its passes are those of the best candidates.
    data : Dataset
        Learned from ``train``, chosen on ``validation``; ``test`` is not touched.
    trials : int, default 27
        Candidates; 1 measures only the given network.
    readout : str, default "proportion"
        What the accuracy is measured with.
    seed : int, default 0
        Fixes the candidates and everything random in their training.
    threads : int or None, default None
        Candidates that learn at a time, and threads that they answer with; None is one per core. The result
        does not depend on it.
    progress : bool, default True
        Show a progress bar, if standard error is a terminal.
    on_trial : callable, optional
        Called with each `fspinn.search.Trial` as soon as it is measured, in the order in which they finish.

    Raises
    ------
    ConfigError
        If `trials` or `readout` make no sense, there are no validation images, or no candidate
        ever spiked.
    DataError
        If `data` is not a data set.
    UnfinishedError
        If something other than the networks ends it, such as too little memory.
    """
    Setup(network, learner)  # says what is not one
    data = as_dataset(data)
    check_encoder(network, data.train.images, "data")
    network.geometries(data.image_shape)
    check_competition(network, learner)
    check_rates(network, learner)
    if isinstance(learner, Surrogate):
        raise ConfigError(
            f"learner: tune varies settings of STDP, and not those of {learner.kind}; use search with "
            "strategy bayes (--strategy bayes)"
        )
    data = replace(data, validation=data.validation.first(len(data.train)))  # as `fspinn.train` measures it
    variant = Variant(readout=readout)
    seed = checked_seed(seed)
    trials = whole_number("trials", trials, 1, MAX_TRIALS)
    threads = available_cores() if threads is None else whole_number("threads", threads, 1, 1024)
    if learner.passes is None:
        learner = replace(learner, passes=most_passes(network, len(data.train), learner))
    given = Setup(network, learner)
    if len(data.validation) == 0:
        raise ConfigError("validation: tuning needs validation images to choose on; hold some out")
    if progress and on_terminal() and will_compile():
        say(compiling())
    interruptible(lambda on_batch: _compile(given, data, seed))
    jobs = [Job(drawn(given, seed, number), seed, (variant,)) for number in range(trials)]
    strategy = _Rungs(jobs, len(data.train))
    context = SearchContext(Source.of(data, None), load_hardware("asic65-lp"), threads=threads, data=data)
    started = time.perf_counter()
    with (
        progress_bar(f"tune {network.neurons} neurons", strategy.planned(), progress) as update,
        threads_here(threads, context) as pool,
    ):
        update(0, "")

        def on_result(job: Job, result: JobResult) -> None:
            if result.fault is not None:
                raise UnfinishedError(f"tune: a candidate could not be measured ({result.fault}); try again")
            update(strategy.presentations(), "")
            if on_trial is not None:
                on_trial(strategy.trials[job])

        carry_out(strategy, pool, Journal(None, context), on_result)
    seconds = time.perf_counter() - started
    best, judged = strategy.judged()
    if best.accuracy is None:
        raise ConfigError(f"tune: every candidate failed, the given network too: {best.verdict}")
    rate = strategy.presentations() / seconds
    return TuningResult(best, judged, seed, readout, origin(data), seconds, rate)


def drawn(setup: Setup, seed: int, number: int) -> Setup:
    """Return candidate `number`: 0 is the setup itself, the others are drawn around it.

    Each value is log-uniform within `MULTIPLES` of the setup's own (so a value of 0 stays 0), rounded to
    three digits.
    """
    if number == 0:
        return setup
    random = uniforms(stream_key(seed, CANDIDATES, number), len(MULTIPLES) + 1).tolist()
    given = settings_of(setup)
    values = {
        name: min(given[name] * low * (high / low) ** part, highest(setup, name))
        for (name, (low, high)), part in zip(MULTIPLES.items(), random, strict=False)
        if name in given
    }
    if "theta_step" in values:
        low, high = THETA_STEP_END
        rest = 2 * random[-1] - 1
        values["theta_step_end"] = values["theta_step"] * low * (high / low) ** rest if rest > 0 else 0.0
    values["learning_rate_end"] = min(values["learning_rate_end"], values["learning_rate"])
    return with_settings(setup, {name: float(f"{value:.3g}") for name, value in values.items()})


@dataclass
class _Rungs:
    """The strategy: the first job, of the given network, goes straight to the last rung; of each rung a third
    goes on to the next one.
    """

    jobs: Sequence[Job]
    images: int
    trials: dict[Job, Trial] = field(default_factory=dict)
    _numbers: dict[Setup, int] = field(init=False)
    _rung: list[Job] = field(init=False)
    _waiting: list[Job] = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = {job.setup: number for number, job in reversed(list(enumerate(self.jobs)))}
        self._rung = [replace(job, share=RUNGS[0]) for job in self.jobs[1:]]
        # With the longest job beside the first rung, two cores have something to do to the end.
        self._waiting = [self.jobs[0], *self._rung]

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next job; None while the others of its rung are under way."""
        return self._waiting.pop(0) if self._waiting else None

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result; the last of a rung begins the next one."""
        (candidate,), number = job.candidates, self._numbers[job.setup]
        trial = Trial(candidate, presentations=self._count(job), number=number)
        self.trials[job] = trial.after(job, result)
        if self._rung and self._rung[0].share < 1 and all(one in self.trials for one in self._rung):
            best = [one for one in self._best_first(self._rung) if self.trials[one].confusions]
            kept = set(best[: max(1, len(self._rung) // FACTOR)])
            share = RUNGS[RUNGS.index(self._rung[0].share) + 1]
            self._rung = [replace(one, share=share) for one in self._rung if one in kept]
            self._waiting += self._rung

    def judged(self) -> tuple[Trial, tuple[Trial, ...]]:
        """Return the best trial, and all by rung and number, as they stand at the end."""
        best = self._best_first([job for job in self.trials if job.share == 1])[0]
        higher = [job for job in self.trials if job.share > RUNGS[0] and job != self.jobs[0]]
        goes_on = {replace(job, share=RUNGS[RUNGS.index(job.share) - 1]) for job in higher}
        found = {}
        for job, trial in self.trials.items():
            outcome = Outcome.CHOSEN if job == best else Outcome.DROPPED
            if job in goes_on:
                outcome = Outcome.GOES_ON
            found[job] = replace(trial, outcome=outcome) if trial.confusions else trial
        in_order = sorted(found, key=lambda job: (job.share, found[job].number or 0))
        return found[best], tuple(found[job] for job in in_order)

    def presentations(self) -> int:
        """Return the presentations that candidates have learned from."""
        return sum(map(self._count, self.trials))

    def planned(self) -> int:
        """Return the presentations of all rungs together, if no candidate fails."""
        total, count = self._count(self.jobs[0]), len(self.jobs) - 1
        for share in RUNGS:
            total += count * self._count(replace(self.jobs[0], share=share))
            count = max(1, count // FACTOR) if count else 0
        return total

    def _count(self, job: Job) -> int:
        count, times = images_and_passes(self.images, job.setup.learner.passes or 1, job.share)
        return count * times

    def _best_first(self, jobs: Sequence[Job]) -> list[Job]:
        """Sort by accuracy; among equals the first candidate, and those that failed at the end."""

        def order(job: Job) -> tuple[bool, float, int]:
            trial = self.trials[job]
            return trial.accuracy is None, -(trial.accuracy or 0.0), trial.number or 0

        return sorted(jobs, key=order)


def _compile(setup: Setup, data: "Dataset", seed: int) -> None:
    """Compile the engine, so that neither the bar nor the rate waits for it."""
    one = replace(data, train=data.train.first(1))
    with suppress(ConfigError):  # nothing, if one image leaves the network silent
        learn(setup.network, one, replace(setup.learner, passes=1), seed=seed, progress=False)
