"""The search itself: constraints and space in, the smallest network and its certificate out."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fspinn.answering.evaluate import evaluate
from fspinn.base.checks import MAX_SEED, whole_number
from fspinn.base.errors import ConfigError, UnfinishedError
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.origin import origin
from fspinn.memmodel import Hardware, load_hardware
from fspinn.model.model import Model
from fspinn.network.description import Network
from fspinn.search import quantities
from fspinn.search.bayes import Bayes, directions
from fspinn.search.candidates import Candidate, Variant
from fspinn.search.certificate import certify
from fspinn.search.constraints import Constraints, check_measures, nearest_possible, within_device
from fspinn.search.costs import Cost, expected_costs
from fspinn.search.endings import Ending, confidence_in_words, most_validation
from fspinn.search.execution import Strategy, Workers, carry_out, hired, interruptible
from fspinn.search.halving import Halving, pruner
from fspinn.search.intervals import CONFIDENCE, images_needed, wilson_interval
from fspinn.search.jobs import Bench, Job, Outcome, Source, measure
from fspinn.search.ladder import Ladder, Listed
from fspinn.search.ledger import Ledger
from fspinn.search.progress import LiveTable
from fspinn.search.question import check_answer
from fspinn.search.result import SearchResult, Standing, Trial
from fspinn.search.sampling import Drawing, chosen_sampler
from fspinn.search.space import Range, Space, corners, settle
from fspinn.search.study import Study, quiet_optuna
from fspinn.search.verdicts import ending_of, nearest_unproven, needed_for, told, trial_of

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages

STRATEGIES = ("ladder", "bayes", "halving")

MOST_TRIALS = 100_000

SMALLER = 0.8
"""Neurons of the next smaller network that is tried below the answer of a strategy that samples, in parts of
those of the answer (own)."""


def find_smallest(
    data: "Dataset | LabelledImages",
    *,
    accuracy: float = 0.90,
    confidence: float = CONFIDENCE,
    memory: str | float | None = None,
    training_memory: str | float | None = None,
    energy: str | float | None = None,
    latency: str | float | None = None,
    flash: str | float | None = None,
    ram: str | float | None = None,
    area: str | float | None = None,
    spikes: str | float | None = None,
    minimize: str | Sequence[str] = "memory",
    hardware: str = "asic65-lp",
    strategy: str = "ladder",
    sampler: str = "auto",
    space: Space | Mapping[str, Any] | str | Path | None = None,
    network: Network | None = None,
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    readouts: Sequence[str] | None = None,
    passes: int | None = None,
    labels: int | None = None,
    trials: int = 40,
    budget: str | float | None = None,
    seeds: int = 3,
    seed: int = 0,
    threads: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    folder: str | Path | None = None,
    overwrite: bool = False,
    data_dir: str | Path | None = None,
    progress: bool = True,
    on_trials: Callable[[list[Trial]], None] | None = None,
) -> SearchResult:
    """Find the network with the least memory (or energy, ...) that meets an accuracy.

    A candidate meets the accuracy if the lower end of the Wilson interval of its accuracy on the validation
    split does: a lucky draw of few images is no proof. The answer does so on the mean of `seeds` trainings.

    Parameters
    ----------
    data : Dataset
        Learned from ``train``, chosen on ``validation``; ``test`` is used once, for the winner.
        `fspinn.datasets.load` holds validation images out, also of your own images.
    accuracy : float, default 0.90
        Between 0 and 1.
    confidence : float, default 0.975
        One-sided confidence that the true accuracy meets it: the default takes the lower end of the two-sided
        95 % interval, 0.5 the mean as it is.
    memory, training_memory : str, float or None, default None
        Most memory for inference, and on a device that learns, such as ``"32 KiB"``; numbers are bytes, None
        is no limit.
    energy, latency : str, float or None, default None
        Most energy and time of an inference, such as ``"2 uJ"`` and ``"5 ms"``; numbers are picojoules and
        seconds.
    flash, ram : str, float or None, default None
        Most flash and RAM of a microcontroller for inference, such as ``"16 KiB"``; numbers are bytes. The
        program, its stack and the vectors count. None is what the hardware has; other hardware has neither.
    area : str, float or None, default None
        Most area, such as ``"0.5 mm2"``; numbers are square micrometres.
    spikes : float, str or None, default None
        Most output spikes an image, such as 5.
    minimize : str or sequence of str, default "memory"
        What should be little: one of the limits above, or several. The first one decides which network
        is the answer; the Pareto front takes them all.
    hardware : str, default "asic65-lp"
        Preset (or path) for energy, latency, flash, RAM and area.
    strategy : {"ladder", "bayes", "halving"}, default "ladder"
        See `fspinn.search`.
    sampler : {"auto", "gp", "tpe", "random"}, default "auto"
        Of ``bayes`` and ``halving``; ``"auto"`` is ``"gp"`` where torch is installed, else ``"tpe"``.
    space : Space, mapping or path-like, optional
        What to choose from: as a `Space`, by name as ``{"neurons": [50, 100]}``, or as a TOML file of the
        same form; see `fspinn.search.space`.
    network : Network, optional
        All settings that the space leaves open; a `Space` has its own.
    sizes, weights, readouts : sequence, optional
        Numbers of neurons, formats (or ``"float32"``) and readouts to choose from, in place of the space's.
    passes : int or None, default None
        As for `fspinn.train`.
    labels : int or None, default None
        Labelled training images that readouts may use; None is all.
    trials : int, default 40
        Networks that ``bayes`` and ``halving`` draw.
    budget : str, float or None, default None
        Time after which no more networks are begun, such as ``"3h"``, numbers are seconds; finalists are
        still measured.
    seeds : int, default 3
        Trainings of each finalist, with seeds from `seed` on.
    seed, threads
        As for `fspinn.train`.
    workers : int or None, default None
        Networks that are trained at the same time; None is one, or with a scheduler one per thread it has.
    scheduler : str or None, default None
        Address of a Dask scheduler; None stays on this machine.
    folder : path-like or None, default None
        Where the study is kept, so that the same search goes on after it was stopped or killed.
    overwrite : bool, default False
        Search although `save_result` has put the answer to another question into that folder.
    data_dir : path-like or None, default None
        Where workers look for the images; None is their own ``$FSPINN_DATA_DIR`` or cache.
    progress : bool, default True
        Show a table of the best so far and the time left, if standard error is a terminal.
    on_trials : callable, optional
        Called with the trials of each network as soon as it is measured.

    Returns
    -------
    SearchResult

    Raises
    ------
    ConfigError
        If constraints, space or strategy make no sense, there are too few validation images, the engine
        ``numba`` does not run such a network, there are no workers, or the folder holds the answer to
        another question.
    DataError
        If `data` is not a data set, or the folder cannot be written to.
    UnfinishedError
        If something from outside ends it: a full disk, workers that do not start, a scheduler that goes away.
    """
    begun = time.monotonic()
    data = as_dataset(data)
    constraints = Constraints.parsed(
        accuracy,
        confidence,
        memory=memory,
        training_memory=training_memory,
        energy=energy,
        latency=latency,
        flash=flash,
        ram=ram,
        area=area,
        spikes=spikes,
    )
    if isinstance(space, Space):
        if network is not None and network != space.base:
            raise ConfigError("network: the space has another one; leave one of them out")
        network = space.base
    base = network or Network()
    samples = _checked_validation(data, constraints)
    described = load_hardware(hardware)
    minimize = (minimize,) if isinstance(minimize, str) else tuple(minimize)
    check_measures([*minimize, *constraints.limits], described)
    constraints = within_device(constraints, described)
    if strategy not in STRATEGIES:
        raise ConfigError(f"strategy: there is no {strategy!r}; use one of {', '.join(STRATEGIES)}")
    sampler = chosen_sampler(sampler)
    trials = whole_number("trials", trials, 1, MOST_TRIALS)
    seeds = whole_number("seeds", seeds, 1, 100)
    seed = whole_number("seed", seed, 0, MAX_SEED + 1 - seeds)  # the finalists take those that follow
    if labels is not None:
        whole_number("labels", labels, 1, len(data.train))
    question = {
        "dataset": origin(data),
        "constraints": asdict(constraints),
        "minimize": minimize,
        "hardware": hardware,
        "labels": labels,
        "seed": seed,
    }
    if folder is not None:
        check_answer(Path(folder), question, overwrite)
    until = None if budget is None else begun + quantities.parse("budget", budget, quantities.TIME)
    settled = settle(strategy, space, base, len(data.train), sizes, weights, readouts, passes)
    ledger = Ledger(constraints, minimize, samples, seed, seeds)
    costs = _Costs(data, described)
    possible = _all_candidates(settled, strategy)
    ledger.expect(dict(zip(possible, costs(possible), strict=True)))
    impossible = None
    if len(ledger.rejected) == len(possible):
        impossible = nearest_possible(constraints, list(ledger.costs.values()))
    elif strategy != "ladder":  # they were only to see what is possible
        ledger = Ledger(constraints, minimize, samples, seed, seeds)
    keep = next(k for k in range(samples + 1) if wilson_interval(k, samples, confidence)[0] >= accuracy)
    bench = Bench(Source.of(data, data_dir), described, labels, threads, seed, keep, data)
    models: dict[Candidate, Model] = {}
    winner = None
    networks_left = 0
    left: set[Candidate] = set()
    if impossible is None:
        with (
            quiet_optuna(),
            hired(workers, scheduler, bench) as team,
            Study(None if folder is None else Path(folder), bench) as study,
            LiveTable(ledger, strategy, team.count, until, progress) as table,
        ):

            def on_outcome(job: Job, outcome: Outcome) -> None:
                if outcome.fault is not None:
                    ledger.note(job, outcome)
                for variant, model in outcome.models.items():
                    models[Candidate(job.network, variant, job.passes)] = model
                table.update(job, outcome, drawn.neurons_left())
                if on_trials is not None:
                    on_trials(told(ledger, job))

            drawn = _strategy(strategy, sampler, settled, ledger, costs, study, trials)
            winner = _search(
                drawn, strategy == "ladder", ledger, settled, costs, team, study, on_outcome, until
            )
            if isinstance(drawn, Ladder):
                left = drawn.left()
            else:
                networks_left = drawn.networks_left()
                left = ledger.unknown_below(winner)
    if not ledger.costs:  # there was no time to draw any: the corners of the space stand for it
        ledger.expect(dict(zip(possible, costs(possible), strict=True)))
    late = until is not None and time.monotonic() >= until
    rows = {
        candidate: trial_of(ledger, candidate, winner, left=left, late=late) for candidate in ledger.costs
    }
    verdicts = {candidate: trial.verdict for candidate, trial in rows.items()}
    certificate = None if winner is None else certify(ledger, winner, verdicts, left)
    considered = len(ledger.costs) - len(ledger.rejected)
    untried = sum(trial.standing is Standing.UNTRIED for trial in rows.values())
    if strategy != "ladder":
        considered, untried = trials, networks_left
    in_order = sorted(rows.values(), key=lambda trial: (trial.memory_bits, trial.candidate.neurons))
    unproven = nearest_unproven(in_order, ledger, most_validation(origin(data)))
    out_of_time = late and untried > 0
    ending = ending_of(in_order, winner, impossible, out_of_time=out_of_time, unproven=unproven is not None)
    nearest = _nearest(in_order, constraints) if winner is None else rows[winner]
    if unproven is not None and ending in (Ending.NOT_PROVEN, Ending.TIME_OVER):
        nearest = unproven
    model = test = None
    if winner is not None:
        model = models.get(winner) or _made_again(bench, winner)
        final = model
        test = interruptible(lambda on_batch: evaluate(final, data.test, seed=seed, threads=threads))
        accuracies = {"validation_accuracy": ledger.correct[winner][seed] / samples}
        model = replace(model, record={**model.record, **accuracies, "test_accuracy": test.accuracy})
    return SearchResult(
        ending=ending,
        constraints=constraints,
        minimize=minimize,
        strategy=strategy,
        hardware=hardware,
        seed=seed,
        seeds=seeds,
        dataset=origin(data),
        labels=labels,
        trials=tuple(in_order),
        front=tuple(rows[candidate] for candidate in ledger.front()),
        winner=None if winner is None else rows[winner],
        nearest=nearest,
        considered=considered,
        untried=untried,
        validation_needed=needed_for(nearest, ledger),
        certificate=certificate,
        impossible=impossible,
        model=model,
        test=test,
        seconds=time.monotonic() - begun,
    )


def _search(
    strategy: Strategy,
    exhaustive: bool,
    ledger: Ledger,
    space: Space,
    costs: "_Costs",
    workers: Workers,
    study: Study,
    on_outcome: Callable[[Job, Outcome], None],
    until: float | None,
) -> Candidate | None:
    """Return the best candidate that meets the target with all seeds.

    A finalist that does not hold with more seeds sends the strategy on. Below the answer of a strategy that
    samples, the same network with fewer neurons is tried, until that will not do.
    """
    tried: set[tuple[Network, int | None]] = set()
    while True:
        carry_out(strategy, workers, study, on_outcome, until)
        best = next(iter(ledger.passing()), None)
        if best is None:
            return None
        if not ledger.confirmed(best):
            carry_out(Listed(ledger, ledger.confirming(best)), workers, study, on_outcome)
            continue
        smaller = None if exhaustive else _smaller(best, ledger, space, costs, tried)
        if smaller is None:
            return best
        carry_out(Listed(ledger, [smaller]), workers, study, on_outcome, until)


def _smaller(
    best: Candidate,
    ledger: Ledger,
    space: Space,
    costs: "_Costs",
    tried: set[tuple[Network, int | None]],
) -> Job | None:
    """Return the job of the next smaller network of the space; None if it was tried, or there is none."""
    choices = space.settings.get("neurons", (best.neurons,))
    if isinstance(choices, Range):
        neurons = int(best.neurons * SMALLER)
        if neurons < choices.low:
            return None
    else:
        below = [size for size in choices if size < best.neurons]
        if not below:
            return None
        neurons = max(below)
    network = replace(best.network, neurons=neurons)
    if (network, best.passes) in tried:
        return None
    tried.add((network, best.passes))
    candidates = [Candidate(network, variant, best.passes) for variant in space.variants()]
    ledger.expect(dict(zip(candidates, costs(candidates), strict=True)))
    variants = tuple(c.variant for c in candidates if c not in ledger.rejected)
    return Job(network, best.passes, ledger.seed, variants) if variants else None


def _nearest(trials: list[Trial], constraints: Constraints) -> Trial:
    """Return the most accurate trial, of those that keep to all limits if any of them was measured."""

    def near(trial: Trial) -> tuple[bool, float]:
        within = trial.accuracy is not None and constraints.reason(trial.cost) is None
        return within, trial.accuracy or 0.0

    return max(trials, key=near)


class _Costs:
    """Expected costs of candidates for the images and the hardware of a search."""

    def __init__(self, data: "Dataset", hardware: Hardware) -> None:
        self._hardware, self._n_classes = hardware, data.n_classes
        self._n_inputs = data.image_shape[0] * data.image_shape[1]
        self._mean = max(float(data.train.images[:1000].mean()) / 255, 1e-6)

    def __call__(self, candidates: list[Candidate]) -> list[Cost]:
        return expected_costs(candidates, self._hardware, self._n_inputs, self._n_classes, self._mean)


def _checked_validation(data: "Dataset", constraints: Constraints) -> int:
    samples = len(data.validation)
    if samples == 0:
        raise ConfigError("validation: the search needs validation images to choose on; hold some out")
    accuracy, confidence = constraints.accuracy, constraints.confidence
    if wilson_interval(samples, samples, confidence)[0] < accuracy:
        needed = images_needed(1.0, accuracy, confidence)
        raise ConfigError(
            f"accuracy: {samples} validation images cannot show {accuracy:g} with "
            f"{confidence_in_words(confidence)}; hold out at least {needed}, or ask for less"
        )
    return samples


def _all_candidates(space: Space, strategy: str) -> list[Candidate]:
    """Return all candidates, or of a space that is drawn from those at its corners."""
    trainings = space.trainings() if strategy == "ladder" else corners(space).trainings()
    variants: list[Variant] = space.variants()
    return [Candidate(network, variant, passes) for network, passes in trainings for variant in variants]


def _strategy(
    name: str, sampler: str, space: Space, ledger: Ledger, costs: _Costs, study: Study, trials: int
) -> Ladder | Bayes | Halving:
    if name == "ladder":
        return Ladder(ledger)
    # What a sampler was told holds for the same question only.
    words = [asdict(ledger.constraints), ledger.minimize, ledger.seed, sampler, asdict(space), study.question]
    digest = hashlib.sha256(json.dumps(words, sort_keys=True, default=str).encode()).hexdigest()[:12]
    called = f"{name} {digest}"
    if name == "bayes":
        sampled = study.sampled(called, directions(ledger.minimize))
        return Bayes(Drawing(sampled, study, space, ledger, costs, sampler, trials), ledger)
    sampled = study.sampled(called, ["minimize"])
    sampled.pruner = pruner()
    return Halving(Drawing(sampled, study, space, ledger, costs, sampler, trials), ledger)


def _made_again(bench: Bench, winner: Candidate) -> Model:
    """Train the winner again: a search that went on after a kill knows only how good it was."""
    job = Job(winner.network, winner.passes, bench.seed, (winner.variant,))
    outcome = interruptible(lambda on_batch: measure(replace(bench, keep=0), job, on_batch))
    if winner.variant not in outcome.models:
        raise UnfinishedError(
            f"the search could not finish: the winner could not be trained again ({outcome.fault}); "
            "the same command tries it again"
        )
    return outcome.models[winner.variant]
