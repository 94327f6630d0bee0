"""The search itself: constraints and space in, the smallest network and its certificate out."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from functools import partial
from math import inf, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fspinn.answering.evaluate import evaluate
from fspinn.base.background import interruptible
from fspinn.base.checks import whole_number
from fspinn.base.errors import ConfigError, UnfinishedError
from fspinn.base.randomness import INFERENCE_SPIKES
from fspinn.base.settings import as_plain
from fspinn.datasets.arrays import as_dataset
from fspinn.datasets.origin import origin
from fspinn.learning.labels import check_tunable
from fspinn.memmodel.names import canonical
from fspinn.model.model import Model
from fspinn.network.description import Network
from fspinn.network.encoders import BatchEncoder, encoding_of
from fspinn.network.learners import Learner, StdpLabels, Surrogate
from fspinn.network.recordings import Binnable, check_encoder
from fspinn.network.setup import Setup
from fspinn.quant.formats import as_format
from fspinn.search.asked import DRAWING, ask
from fspinn.search.bayes import Bayes
from fspinn.search.candidates import FLOAT, Candidate, Variant
from fspinn.search.certificate import certify
from fspinn.search.constraints import Constraints, nearest_possible
from fspinn.search.costs import expected_costs
from fspinn.search.default_spaces import settle
from fspinn.search.endings import (
    Ending,
    check_validation,
    ending_of,
    most_validation,
    nearest_of,
    nearest_unproven,
    needed_for,
)
from fspinn.search.finalists import best_confirmed
from fspinn.search.halving import Halving
from fspinn.search.intervals import CONFIDENCE
from fspinn.search.jobs import Job, JobResult, SearchContext, Source
from fspinn.search.journal import Journal
from fspinn.search.ladder import Ladder
from fspinn.search.ledger import Ledger
from fspinn.search.progress import LiveTable
from fspinn.search.question import check_answer
from fspinn.search.result import SearchResult
from fspinn.search.sampling import Drawing, quiet_optuna, study_in_memory
from fspinn.search.space import Space, corners
from fspinn.search.trial import Outcome, Trial
from fspinn.search.without_spikes import baselines_of, classifier_of
from fspinn.search.workers import worker_pool

if TYPE_CHECKING:
    from fspinn.datasets import Dataset
    from fspinn.datasets.arrays import LabelledImages

MOST_TIMES = 64
"""As many times the memory of the answer an ANN beside it may take: a wider one would only say the same."""


def find_smallest(
    data: "Dataset | LabelledImages",
    *,
    accuracy: float = 0.90,
    confidence: float = CONFIDENCE,
    metric: str = "accuracy",
    memory: str | float | None = None,
    training_memory: str | float | None = None,
    energy: str | float | None = None,
    latency: str | float | None = None,
    flash: str | float | None = None,
    ram: str | float | None = None,
    area: str | float | None = None,
    spikes: str | float | None = None,
    synops: str | float | None = None,
    time_steps: str | float | None = None,
    training_steps: str | float | None = None,
    minimize: str | Sequence[str] = "memory",
    hardware: str = "asic65-lp",
    strategy: str = "ladder",
    sampler: str = "auto",
    space: Space | Mapping[str, Any] | str | Path | None = None,
    network: Network | None = None,
    learner: Learner | Sequence[Learner] | None = None,
    sizes: Sequence[int] | None = None,
    weights: Sequence[str] | None = None,
    readouts: Sequence[str] | None = None,
    labels: int | None = None,
    class_weight: str | None = None,
    trials: int | None = None,
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

    A candidate meets the accuracy if the lower end of the interval of its accuracy on the validation
    split does: a lucky draw of few images is no proof. The answer does so on the mean of `seeds` trainings.

    Parameters
    ----------
    data : Dataset
        Learned from ``train``, chosen on ``validation``; ``test`` is used once, for the winner.
        `fspinn.datasets.load` holds validation images out, also of your own images.
    accuracy : float, default 0.90
        Between 0 and 1; a value of `metric`.
    confidence : float, default 0.975
        One-sided confidence that the true accuracy meets it: the default takes the lower end of the two-sided
        95 % interval, 0.5 the mean as it is.
    metric : {"accuracy", "balanced-accuracy", "macro-f1"}, default "accuracy"
        What has to reach `accuracy`: the part of all images that are right, or the mean recall or F1 of the
        classes, which count alike however many images they have. All accuracies of the answer are values of
        it, with intervals that fit it (see `fspinn.search.metrics`).
    memory, training_memory, energy, latency, flash, ram, area : str, float or None, default None
        Most of each for an inference (`training_memory`: on a device that learns), such as ``"32 KiB"``,
        ``"2 uJ"``, ``"5 ms"`` and ``"0.5 mm2"``; numbers are bytes, picojoules, seconds and square
        micrometres. None is no limit, of flash and RAM what the microcontroller has; program, stack and
        vectors count there.
    spikes, synops, time_steps : float, str or None, default None
        Most output spikes, synaptic operations and time steps an image, such as 5.
    training_steps : float, str or None, default None
        Most time steps that all images together are shown for while the network learns: what its training
        takes, whatever the machine.
    minimize : str or sequence of str, default "memory"
        What should be little: one of the limits above, or several. The first one decides which network
        is the answer; the Pareto front takes them all.
    hardware : str, default "asic65-lp"
        Preset, or another name of one, or path of a TOML file, for energy, latency, flash, RAM and area.
    strategy : {"ladder", "bayes", "halving"}, default "ladder"
        See `fspinn.search`.
    sampler : {"auto", "gp", "tpe", "random"}, default "auto"
        Of ``bayes`` and ``halving``; ``"auto"`` is ``"gp"`` where torch is installed, else ``"tpe"``.
    space : Space, mapping or path-like, optional
        What to choose from: as a `Space`, by name as ``{"neurons": [50, 100]}``, or as a TOML file of the
        same form; see `fspinn.search.space`.
    network : Network, optional
    learner : Learner or sequence of Learner, optional
        All settings that the space leaves open; a `Space` has its own. Of several learners the default spaces
        of the ladder try each; None is `Stdp`, which learns without labels.
    sizes, weights, readouts : sequence, optional
        Numbers of neurons, formats (or ``"float32"``) and readouts to choose from, in place of the space's.
        With sizes, and without a network that has a field, only dense networks are looked at.
    labels : int or None, default None
        Labelled training images that readouts may use; None is all.
    class_weight : {"balanced"} or None, default None
        As for `fspinn.train`.
    trials : int or None, default None
        Networks that ``bayes`` and ``halving`` draw; None is 40. The ladder draws none.
    budget : str, float or None, default None
        Time after which no more networks are begun, such as ``"3h"``, numbers are seconds; finalists are
        still measured, and classifiers without spikes fitted.
    seeds : int, default 3
        Trainings of each finalist, with seeds from `seed` on.
    seed, threads
        As for `fspinn.train`.
    workers, scheduler : int and str, or None, default None
        Networks that are trained at the same time, and the address of a Dask scheduler to do that on, such as
        ``"tcp://127.0.0.1:8786"``. None is one on this machine, or one per thread of the scheduler's workers.
    folder : path-like or None, default None
        Where the journal is kept, so that the same search goes on after it was stopped or killed.
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
        metric,
        memory=memory,
        training_memory=training_memory,
        energy=energy,
        latency=latency,
        flash=flash,
        ram=ram,
        area=area,
        spikes=spikes,
        synops=synops,
        time_steps=time_steps,
        training_steps=training_steps,
    )
    hardware = canonical(hardware)
    checked = ask(
        constraints,
        minimize=minimize,
        hardware=hardware,
        strategy=strategy,
        sampler=sampler,
        space=space,
        network=network,
        learner=learner,
        sizes=sizes,
        weights=weights,
        readouts=readouts,
        class_weight=class_weight,
        trials=trials,
        budget=budget,
        seeds=seeds,
        seed=seed,
    )
    constraints, described, minimize = checked.constraints, checked.hardware, checked.minimize
    network, learners, base = checked.network, checked.learners, checked.base
    sampler, trials, seeds, seed = checked.sampler, checked.trials, checked.seeds, checked.seed
    check_encoder(base.network, data.train.images, "data")
    check_validation(data, constraints)
    base.network.geometries(data.image_shape)
    if labels is not None:
        whole_number("labels", labels, 1, len(data.train))
    until = None if checked.budget_s is None else begun + checked.budget_s
    settled = settle(
        strategy,
        space,
        network,
        learners,
        len(data.train),
        data.image_shape,
        sizes,
        weights,
        readouts,
    )
    for each in (settled, *settled.beside):
        if isinstance(each.base.learner, StdpLabels) and not {"inhibition", "tau_m_ms"} & set(each.settings):
            check_tunable(each.base.network)
    kinds_asked = tuple(dict.fromkeys(kind for each in (settled, *settled.beside) for kind in each.learners))
    question = {
        "dataset": origin(data),
        "constraints": asdict(constraints),
        "learner": kinds_asked,
        "minimize": minimize,
        "hardware": hardware,
        "labels": labels,
        "class_weight": class_weight,
        "seed": seed,
    }
    if folder is not None:
        check_answer(Path(folder), question, overwrite)
    mean = max(_mean_intensity(base.network, data), 1e-6)
    costs = partial(
        expected_costs,
        hardware=described,
        image_shape=data.image_shape,
        n_classes=data.n_classes,
        mean_intensity=mean,
        images=len(data.train),
        labelled=labels,
        extra_features=len(data.feature_names),
    )
    ledger = Ledger(constraints, minimize, seed, seeds, costs)
    possible = _all_candidates(settled, strategy, data.image_shape)
    ledger.expect(possible)
    impossible = None
    if all(map(ledger.rejected, possible)):
        impossible = nearest_possible(
            constraints, [trial.cost for trial in ledger.trials.values() if trial.cost]
        )
    elif strategy != "ladder":  # they were only to see what is possible
        ledger.trials.clear()
    context = SearchContext(
        Source.of(data, data_dir),
        described,
        labels,
        class_weight,
        threads,
        seed,
        keep=accuracy,
        metric=metric,
        confidence=confidence,
        data=data,
    )
    models: dict[Candidate, Model] = {}
    winner = None
    networks_left = 0
    left: set[Candidate] = set()
    smallest_of: dict[str, Candidate | None] = {}
    if impossible is None:
        # What a strategy was told holds for the same question only.
        words = [strategy, sampler, asdict(constraints), minimize, seed, as_plain(settled)]
        words.append(context.key(Job(base, seed, ())))  # what all jobs have in common
        digest = hashlib.sha256(json.dumps(words, default=str, sort_keys=True).encode()).hexdigest()
        asked_for = {**question, "strategy": strategy, "seeds": seeds, "considered": trials}
        if strategy == "ladder":
            asked_for["considered"] = sum(not ledger.rejected(candidate) for candidate in possible)
        with (
            quiet_optuna() if strategy in DRAWING else nullcontext(),
            worker_pool(workers, scheduler, context) as pool,
            Journal(None if folder is None else Path(folder), context, digest[:12], asked_for) as journal,
            LiveTable(ledger, strategy, pool.count, until, progress) as table,
        ):

            def on_result(job: Job, result: JobResult) -> None:
                if result.fault is not None:
                    ledger.note(job, result)
                for variant, model in result.models.items():
                    models[Candidate(job.setup, variant)] = model
                table.update(job, result, asked.neurons_left())
                if on_trials is not None:
                    on_trials([ledger.trials[candidate] for candidate in job.candidates])

            asked: Ladder | Bayes | Halving
            kinds = dict.fromkeys(candidate.setup.learner.kind for candidate in ledger.trials)
            if strategy == "ladder":
                for kind in kinds:
                    asked = ladder = Ladder(ledger, kind)
                    best, late_jobs = best_confirmed(ladder, ledger, settled, pool, journal, on_result, until)
                    smallest_of[kind] = best
                    left |= ladder.left().union(*(job.candidates for job in late_jobs))
                found = [best for best in smallest_of.values() if best is not None]
                winner = min(found, key=ledger.order, default=None)
            else:
                asked = drawing = _drawing(strategy, sampler, settled, ledger, trials)
                winner, late_jobs = best_confirmed(drawing, ledger, settled, pool, journal, on_result, until)
                networks_left = drawing.networks_left() + len(late_jobs)
                left = ledger.untried_below(winner)
    if not ledger.trials:  # there was no time to draw any: the corners of the space stand for it
        ledger.expect(possible)
    late = until is not None and time.monotonic() >= until
    rows = ledger.final(winner, left, late)
    certificate = None
    if winner is not None:
        certificate = certify(rows, winner, seed, left, minimize[0], costs([winner])[0])
    considered = sum(not ledger.rejected(candidate) for candidate in rows)
    untried = sum(trial.outcome is Outcome.UNTRIED for trial in rows.values())
    if strategy != "ladder":
        considered, untried = trials, networks_left
    in_order = sorted(rows.values(), key=lambda trial: (trial.memory_bits, trial.candidate.neurons))
    unproven = nearest_unproven(in_order, ledger.order, most_validation(origin(data)))
    ending = ending_of(in_order, impossible, late and untried > 0, unproven)
    nearest = nearest_of(in_order, constraints) if winner is None else rows[winner]
    if unproven is not None and ending in (Ending.NOT_PROVEN, Ending.TIME_OVER):
        nearest = unproven
    model = test = None
    if winner is not None:
        model = models.get(winner) or _made_again(context, winner)
        answer = model
        test = interruptible(lambda on_batch: evaluate(answer, data.test, seed=seed, threads=threads))
        model = replace(model, record={**model.record, "test_accuracy": test.accuracy})
    most_bits = inf if winner is None else MOST_TIMES * rows[winner].memory_bits
    baselines = baselines_of(
        data, described, constraints, most_bits, labels=labels, class_weight=class_weight, seed=seed
    )
    classifier = classifier_of(data, constraints, minimize[0], baselines, labels, seed)
    return SearchResult(
        ending=ending,
        constraints=constraints,
        learner=kinds_asked,
        minimize=minimize,
        strategy=strategy,
        hardware=hardware,
        seed=seed,
        seeds=seeds,
        dataset=origin(data),
        labels=labels,
        class_weight=class_weight,
        trials=tuple(in_order),
        front=tuple(rows[candidate] for candidate in ledger.front()),
        winner=None if winner is None else rows[winner],
        nearest=nearest,
        learners={kind: None if best is None else rows[best] for kind, best in smallest_of.items()},
        considered=considered,
        untried=untried,
        validation_needed=needed_for(nearest),
        certificate=certificate,
        baselines=baselines,
        classifier=classifier,
        impossible=impossible,
        model=model,
        test=test,
        seconds=time.monotonic() - begun,
    )


def _mean_intensity(network: Network, data: "Dataset") -> float:
    """Return the mean pixel, from 0 to 1; of events the part of steps in which an input spikes."""
    images = data.train.images[:1000]
    if not isinstance(images, Binnable):
        return float(images.mean()) / 255
    spikes = BatchEncoder(encoding_of(network)).encode(images, 0, INFERENCE_SPIKES)
    return len(spikes.inputs) / (network.steps * prod(images.shape))


def _all_candidates(space: Space, strategy: str, shape: tuple[int, ...]) -> list[Candidate]:
    """Return all candidates, or of a space that is drawn from those at its corners; all fit the images."""
    found, refused = [], None
    for each in (space, *space.beside):
        trainings = each.trainings() if strategy == "ladder" else corners(each).trainings()
        variants: list[Variant] = each.variants()
        _check_signs(trainings, variants)
        for setup in trainings:
            try:
                setup.network.geometries(shape)
            except ConfigError as error:  # too large a field, or too many cells
                refused = error
                continue
            found += [Candidate(setup, variant) for variant in variants]
    if not found and refused is not None:
        raise refused
    return found


def _check_signs(setups: Sequence[Setup], variants: Sequence[Variant]) -> None:
    """Refuse formats without a sign for weights that have one."""
    formats = {one.weights for one in variants if one.weights != FLOAT}
    unsigned = sorted(name for name in formats if not as_format(name).signed)
    signed = [setup.learner.kind for setup in setups if isinstance(setup.learner, Surrogate)]
    if unsigned and signed:
        bits = as_format(unsigned[0]).bits
        raise ConfigError(
            f"weights: those that the learner {signed[0]} finds have a sign, and {unsigned[0]} has none; use "
            f"a format such as Q1.{max(bits - 1, 1)}"
        )


def _drawing(name: str, sampler: str, space: Space, ledger: Ledger, trials: int) -> Bayes | Halving:
    study = study_in_memory(accuracy=name == "bayes", costs=len(ledger.minimize) if name == "bayes" else 1)
    drawing = Drawing(study, space, ledger, sampler, trials)
    return Bayes(drawing) if name == "bayes" else Halving(drawing)


def _made_again(context: SearchContext, winner: Candidate) -> Model:
    """Train the winner again: a search that went on after a kill knows only how good it was."""
    job = Job.of([winner], context.seed)
    result = interruptible(lambda on_batch: replace(context, keep=0.0).measure(job, on_batch))
    if winner.variant not in result.models:
        raise UnfinishedError(
            f"the search could not finish: the winner could not be trained again ({result.fault}); "
            "the same command tries it again"
        )
    return result.models[winner.variant]
