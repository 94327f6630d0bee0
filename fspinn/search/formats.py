"""Which formats are the narrowest that will do? By sensitivity: one parameter at a time, then jointly.

After Q-SpiNN's and lpSpikeCon's idea that parameters differ in how many bits they need; the search is
fspinn's. First every parameter is narrowed alone, all others at their widest, for as long as the accuracy on
the validation images is at most `max_loss` points below that of the float network. Then all are as narrow as
they were alone; while together they lose more, the one whose next bit helps most gets it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fspinn.answering.compress import Compiler, calibrate
from fspinn.answering.evaluate import Evaluation, evaluate
from fspinn.base.checks import checked_seed, number
from fspinn.base.errors import ConfigError, FormatError, UnfinishedError
from fspinn.base.printing import Printed
from fspinn.base.settings import as_plain
from fspinn.datasets.arrays import as_dataset
from fspinn.memmodel import load_hardware
from fspinn.model.model import BIASED_READOUT, LABEL_READOUT, AnyModel, Model, model_of
from fspinn.network.setup import Setup
from fspinn.search.candidates import Candidate, Variant
from fspinn.search.costs import Cost, counted_cost
from fspinn.search.execution import carry_out
from fspinn.search.jobs import Job, JobResult, Measurement, as_tuples, compiled, in_any_case
from fspinn.search.journal import Journal
from fspinn.search.trial import Outcome, Trial
from fspinn.search.workers import threads_here

if TYPE_CHECKING:
    from fspinn.datasets import Dataset

WEIGHT_BITS = 8
STATE_BITS = 16
READOUT_BITS = 8
"""Widest formats that are looked at (fspinn)."""


Places = dict[str, int]
Steps = Generator[Trial, Trial, Variant]
"""Trials that are wanted, and that come back measured; in the end the narrowest formats."""


@dataclass(frozen=True, repr=False)
class FormatSearch(Printed):
    """The narrowest formats, and the way to them.

    Parameters
    ----------
    choice : Variant
    trials : tuple of Trial
        In the order in which they were measured. `varied` is the parameter that was narrowed, ``"all"`` in
        the joint part, ``"none"`` where all are at their widest.
    before : Trial
        The float network.
    """

    choice: Variant
    trials: tuple[Trial, ...]
    before: Trial

    def __str__(self) -> str:
        return f"{self.choice}; {len(self.trials)} trials"

    def lost_points(self, trial: Trial) -> float | None:
        """Return what formats cost in accuracy, in percentage points; None where they hold no network."""
        return lost_points(self.before, trial)


def lost_points(before: Trial, after: Trial) -> float | None:
    """Return what formats cost in accuracy, in percentage points; None where they hold no network."""
    if before.accuracy is None or after.accuracy is None:
        return None
    return 100 * (before.accuracy - after.accuracy)


def find_formats(
    model: AnyModel,
    data: "Dataset",
    *,
    max_loss: float = 0.5,
    rounding: str = "nearest",
    seed: int = 0,
    threads: int | None = None,
    on_trial: Callable[[Trial, Trial], None] | None = None,
) -> FormatSearch:
    """Find the narrowest formats of weights, state, theta and readout for a trained network.

    Parameters
    ----------
    model : Model
        Or a result that holds one; not quantized yet.
    data : Dataset
        Ranges come from ``train``, accuracies from ``validation``; ``test`` is not touched.
    max_loss : float, default 0.5
        Percentage points of accuracy that all formats together may cost.
    rounding : {"nearest", "truncate", "stochastic"}, default "nearest"
        Of the weights.
    seed, threads
        As for `fspinn.evaluate`.
    on_trial : callable, optional
        Called with the `Trial` of the float network and with each other one as soon as it is measured.

    Raises
    ------
    ConfigError
        If the network has several layers, there are no validation images, or not even the widest formats
        will do.
    FormatError
        If the model is quantized already.
    UnfinishedError
        If something other than the formats ends it, such as too little memory.
    """
    seed = checked_seed(seed)
    model = model_of(model)
    data = as_dataset(data, model.scale)
    max_loss = number("max_loss", max_loss, at_least=0.0, at_most=100.0)
    if len(model.layers) > 1:
        raise ConfigError(
            f"formats: found for networks of one layer, and this one has {len(model.layers)}; give --weights "
            "and --state in the place of --auto"
        )
    if model.quantized:
        raise FormatError(
            f"weights: already quantized to {model.layer.weights.format or model.readout.format}; "
            "quantize the model that training wrote, not a quantized one"
        )
    if len(data.validation) == 0:
        raise ConfigError("validation: formats are chosen on validation images; hold some out")
    context = _Context(model, data, Compiler(data, seed, threads))
    whole = Variant(readout=model.readout.name)
    found = evaluate(model, data.validation, seed=seed, threads=threads)
    measured = Measurement(whole, as_tuples(found.confusion_matrix), context.cost(model, found))
    candidate = Candidate(Setup(model.network, model.learner), whole)
    before = Trial(candidate).after(Job.of([candidate], seed), JobResult((measured,)))
    narrow = _Narrowest(before, _ladders(model, data, seed, threads), rounding, max_loss, seed)

    def on_result(job: Job, result: JobResult) -> None:
        if result.fault is not None:
            raise UnfinishedError(f"formats: a choice could not be measured ({result.fault}); try again")
        if on_trial is not None:
            on_trial(before, narrow.trials[-1])

    with threads_here(1, context) as pool:
        carry_out(narrow, pool, Journal(None, context), on_result)
    assert narrow.choice is not None
    trials = (
        replace(t, outcome=Outcome.CHOSEN) if t.candidate.variant == narrow.choice else t
        for t in narrow.trials
    )
    return FormatSearch(narrow.choice, tuple(trials), before)


@dataclass(frozen=True)
class _Context:
    """Measures variants of a network that is trained."""

    model: Model
    data: "Dataset"
    compiler: Compiler

    def key(self, job: Job) -> str:
        return str(as_plain(job))

    def measure(self, job: Job, on_batch: Callable[[int], None] | None = None) -> JobResult:
        (variant,) = job.variants

        def work() -> JobResult:
            small, how = compiled(self.compiler, self.model, variant), self.compiler
            found = evaluate(
                small, self.data.validation, seed=how.seed, threads=how.threads, on_batch=on_batch
            )
            return JobResult(
                (Measurement(variant, as_tuples(found.confusion_matrix), self.cost(small, found)),)
            )

        return in_any_case(work)

    def cost(self, model: Model, found: Evaluation) -> Cost:
        return counted_cost(model, found.activity, load_hardware("asic65-lp"))


@dataclass
class _Narrowest:
    """The strategy: each parameter alone, then jointly; one choice after the other, each once."""

    before: Trial
    ladders: dict[str, list[str | None]]
    rounding: str
    max_loss: float
    seed: int
    choice: Variant | None = None
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._steps = self._search()
        self._wanted: Trial | None = next(self._steps)
        self._asked = False

    def ask(self, known: Callable[[Job], object] | None = None) -> Job | None:
        """Return the next choice; None while it is measured, and in the end."""
        if self._wanted is None or self._asked:
            return None
        self._asked = True
        return Job.of([self._wanted.candidate], self.seed)

    def tell(self, job: Job, result: JobResult) -> None:
        """Take note of a result, and find out what is wanted next."""
        assert self._wanted is not None
        trial = self._wanted.after(job, result)
        if trial.confusions:
            trial = replace(trial, outcome=Outcome.MEETS if self._within(trial) else Outcome.BELOW)
        self.trials.append(trial)
        self._asked = False
        try:
            self._wanted = self._steps.send(trial)
        except StopIteration as end:
            self._wanted, self.choice = None, end.value

    def _search(self) -> Steps:
        widest = dict.fromkeys(self.ladders, 0)
        found = yield from self._try("none", widest)
        if not self._within(found):
            variant = found.candidate.variant
            words = f"weights {variant.weights}, state {variant.state}, theta {variant.theta}"
            raise ConfigError(
                f"max_loss: even the widest formats ({words}, readout {variant.readout_format}) cost more "
                f"than {self.max_loss:g} points; allow more"
            )
        places = {}
        for name in self.ladders:
            places[name] = yield from self._narrow_alone(name, widest)
        while not self._within(found := (yield from self._try("all", places))):
            places = yield from self._widened(places)
        return found.candidate.variant

    def _try(self, varied: str, places: Places) -> Generator[Trial, Trial, Trial]:
        """Return the trial of the formats at some places; theta is never finer than the state."""
        places = {**places, "theta": max(places["theta"], places["state"])}
        formats = {name: ladder[places[name]] for name, ladder in self.ladders.items()}
        variant = Variant(
            weights=formats["weights"] or "",
            state=formats["state"] or "",
            rounding=self.rounding,
            readout=self.before.candidate.readout,
            theta=formats["theta"],
            readout_format=formats["readout"],
        )
        for trial in self.trials:
            if trial.candidate.variant == variant:
                return trial
        candidate = Candidate(self.before.candidate.setup, variant)
        return (yield Trial(candidate, varied=varied))

    def _narrow_alone(self, name: str, widest: Places) -> Generator[Trial, Trial, int]:
        """Return the place of the narrowest format of one parameter before the first that costs too much."""
        for place in range(1, len(self.ladders[name])):
            found = yield from self._try(name, {**widest, name: place})
            if not self._within(found):
                return place - 1
        return len(self.ladders[name]) - 1

    def _widened(self, places: Places) -> Generator[Trial, Trial, Places]:
        """Return the places with one parameter a bit wider: the cheapest that will do, or else the best."""
        options = []
        for name, place in places.items():
            wider = {**places, name: place - 1}
            if name == "state":  # theta gains nothing alone from being finer than the state was
                wider["theta"] = min(places["theta"], max(place - 1, 0))
            if place > 0:
                found = yield from self._try("all", wider)
                options.append((found, wider))
        enough = [(found, wider) for found, wider in options if self._within(found)]
        if enough:
            return min(enough, key=lambda option: option[0].memory_bits)[1]
        measured = [(found, wider) for found, wider in options if found.confusions] or options
        return min(measured, key=lambda option: lost_points(self.before, option[0]) or 0.0)[1]

    def _within(self, trial: Trial) -> bool:
        """Return whether the formats hold the network and cost no more points than is allowed."""
        lost = lost_points(self.before, trial)
        return lost is not None and lost <= self.max_loss


def _ladders(model: Model, data: "Dataset", seed: int, threads: int | None) -> dict[str, list[str | None]]:
    """Return the formats of each parameter, the widest first."""
    calibrated = calibrate(model, data, seed=seed, threads=threads)
    fractions = range(max(STATE_BITS - calibrated.integer_bits, 0), -1, -1)
    readouts: list[str | None] = [f"UQ0.{bits}" for bits in range(READOUT_BITS, 0, -1)]
    if model.readout.name == BIASED_READOUT:
        readouts = [f"Q1.{bits - 1}" for bits in range(READOUT_BITS, 1, -1)]
    elif model.readout.name == LABEL_READOUT:
        readouts = [None]
    theta_bits = 1
    while abs(model.layer.theta.values).max(initial=0.0) >= 2.0 ** (theta_bits - 1) - 0.5:
        theta_bits += 1
    return {
        "weights": [f"UQ0.{bits}" for bits in range(WEIGHT_BITS, 0, -1)],
        "state": [f"Q{calibrated.integer_bits}.{fraction}" for fraction in fractions],
        "theta": [f"Q{theta_bits}.{fraction}" for fraction in fractions],
        "readout": readouts,
    }
