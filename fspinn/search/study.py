"""What has been tried so far? Kept in one file, so that a search that was killed goes on.

The file is a journal of Optuna's, one line per event, so that what is written stays written whatever happens
next. It holds a study of all jobs, whichever search in this folder asked for them: no network is trained
twice. Strategies that sample keep a study of their own in it.

Optuna's locks outlive a process that is killed, and the next one would wait for half a minute. Here the
kernel locks the file for as long as the search lives, and frees it when it dies.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fspinn.base.errors import ConfigError, DataError, UnfinishedError
from fspinn.base.files import real_file
from fspinn.network.description import Network
from fspinn.search.jobs import Bench, Job, Outcome, as_plain, job_of, outcome_of

try:
    import fcntl
except ImportError:  # Windows: two searches in one folder are not told apart
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import optuna
    from optuna.storages.journal import JournalFileBackend

FILE = "study.log"

_JOBS = "jobs"


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


class Study:
    """All jobs that were done, in a file or only in memory.

    Parameters
    ----------
    folder : Path or None
        Where the file lies or will lie; None keeps nothing.
    bench : Bench

    Raises
    ------
    ConfigError
        If another search is at work in this folder.
    DataError
        If the file cannot be written or read.
    """

    def __init__(self, folder: Path | None, bench: Bench) -> None:
        import optuna

        self._bench = bench
        self._file: Any = None
        self._records: dict[str, Mapping[str, Any]] = {}  # by the keys of the jobs, read when asked for
        self.storage: optuna.storages.BaseStorage = optuna.storages.InMemoryStorage()
        if folder is not None:
            self.storage = self._opened(folder / FILE)
        self._jobs = self.sampled(_JOBS, ["maximize"])
        for trial in self._jobs.get_trials(deepcopy=False):
            if "outcome" in trial.user_attrs:
                self._records[trial.user_attrs["key"]] = trial.user_attrs["outcome"]

    def __enter__(self) -> "Study":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def question(self) -> str:
        """What all jobs of this search have in common."""
        return self.key(Job(Network(), None, 0, ()))

    def key(self, job: Job) -> str:
        """Return what tells a job from all others in the file."""
        return self._bench.key(job)

    def known(self, job: Job) -> Outcome | None:
        """Return the outcome of a job that was done before."""
        record = self._records.get(self.key(job))
        return None if record is None else outcome_of(record)

    def knows(self, job: Job) -> bool:
        """Return whether a job was done before."""
        return self.key(job) in self._records

    def done(self, key: str) -> tuple[Job, Outcome]:
        """Return the job that has this key, and its outcome."""
        record = self._records[key]
        return job_of(record), outcome_of(record)

    def begin(self, job: Job) -> "optuna.Trial":
        """Note that a job is under way; the answer is what `end` wants to have."""
        trial = self._jobs.ask()
        trial.set_user_attr("key", self.key(job))
        return trial

    def end(self, trial: "optuna.Trial", job: Job, outcome: Outcome) -> None:
        """Note what came out of a job that was begun; a fault is not kept."""
        import optuna

        if outcome.fault is not None:
            self._jobs.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        record = as_plain(job, outcome)
        trial.set_user_attr("outcome", record)
        correct = [m.correct for m in outcome.measurements if m.correct is not None]
        if correct:
            self._jobs.tell(trial, max(correct) / self._bench.source.validation)
        else:
            self._jobs.tell(trial, state=optuna.trial.TrialState.FAIL)
        self._records[self.key(job)] = record

    def sampled(self, name: str, directions: Sequence[Literal["minimize", "maximize"]]) -> "optuna.Study":
        """Return a study in the same file; trials that a kill left under way are told as failed."""
        import optuna

        study = optuna.create_study(
            storage=self.storage, study_name=name, directions=list(directions), load_if_exists=True
        )
        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        return study

    def _opened(self, path: Path) -> "optuna.storages.BaseStorage":
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(real_file(path), "ab+")  # noqa: SIM115  # open, and locked, as long as the study
        except OSError as error:
            raise DataError(
                f"{path}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from None
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ConfigError(
                    f"{path.parent}: another search is at work there; wait for it, or choose another folder "
                    "with -o"
                ) from None
        _drop_half_line(self._file)
        try:
            backend = JournalFileBackend(str(path), lock_obj=_Locked())  # type: ignore[arg-type]
            return JournalStorage(_Journal(backend, path.parent))  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError) as error:
            self._file.close()
            raise DataError(f"{path}: is damaged ({error}); remove it to start anew") from None


class _Journal:
    """Says in one line that nothing can be written any more."""

    def __init__(self, backend: "JournalFileBackend", folder: Path) -> None:
        self._folder = folder
        self._append, self.read_logs = backend.append_logs, backend.read_logs

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        try:
            self._append(logs)
        except OSError as error:
            raise UnfinishedError(
                f"the search could not finish: {self._folder} cannot be written ({error.strerror}); make "
                "room, and the same command goes on"
            ) from None


class _Locked:
    """Stands for the lock of each line: the whole file is locked already."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _drop_half_line(file: Any) -> None:
    """Cut off what a kill left of a line that was being written."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    whole = size
    if size:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        # The disk may have run full or the power off: only the last line can be other than JSON.
        last = content[:whole].rstrip(b"\n").rpartition(b"\n")
        try:
            json.loads(last[2])
        except ValueError:
            whole = len(last[0]) + len(last[1])
    if whole < size:
        file.truncate(whole)
