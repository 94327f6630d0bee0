"""A search that is killed goes on, one whose workers are killed goes on without them. With real processes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from described import dense

from fspinn.base.errors import ConfigError, DataError
from fspinn.datasets import load
from fspinn.search import find_smallest
from fspinn.search.journal import FILE
from fspinn.search.trial import Outcome

QUICK = dense(duration_ms=60.0, threshold=8.0, rate_norm_hz=900.0)
SETTINGS = {
    "accuracy": 0.65,
    "network": QUICK,
    "sizes": (10, 14, 18, 22, 26, 30, 40),
    "weights": ("UQ0.4",),
    "readouts": ("proportion",),
    "seeds": 2,
}
COMMAND = (
    *(
        "search",
        "--accuracy",
        "0.65",
        "--set",
        "duration_ms=60",
        "--set",
        "threshold=8",
        "--set",
        "rate_norm_hz=900",
    ),
    *("--sizes", "10,14,18,22,26,30,40", "--weights", "UQ0.4", "--readouts", "proportion"),
    *("--seeds", "2", "--samples", "400", "--json"),
)


@pytest.fixture(scope="module")
def data():
    digits = load("digits")
    return replace(digits, train=digits.train.first(400))


@pytest.fixture(scope="module")
def expected(data):
    return rows(find_smallest(data, **SETTINGS).as_dict())


def rows(answer):
    """Return what an answer says, but for the times that it took and for networks tried beyond the need."""
    plain = json.loads(json.dumps(answer))
    kept = ("found", "accuracy", "accuracy_interval", "accuracies", "memory_bits", "test_accuracy", "neurons")
    return {**{name: plain[name] for name in kept}, "certificate": plain["certificate"]}


def outcomes(folder):
    path = folder / FILE
    return path.read_bytes().count(b'"event": "done"') if path.exists() else 0


def start(folder, *more, **how):
    command = [sys.executable, "-m", "fspinn", *COMMAND, "-o", str(folder), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


def killed_after(folder, count, *more):
    """Start a search, kill it once there are so many outcomes; return the processes that it had started."""
    search = start(folder, *more)
    deadline = time.monotonic() + 120
    while outcomes(folder) < count and search.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    children = Path(f"/proc/{search.pid}/task/{search.pid}/children").read_text().split()
    search.kill()
    search.communicate()
    return [int(child) for child in children]


def alive(process):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--workers", "2"]], ids=["alone", "two-workers"])
def test_a_search_that_is_killed_goes_on_to_the_same_answer(tmp_path, expected, more):
    for count in (2,) if more else (1, 3):
        children = killed_after(tmp_path, count, *more)
    before = outcomes(tmp_path)
    assert before >= 2
    search = start(tmp_path, *more)
    answer, told = search.communicate()
    assert search.returncode == 0, told
    assert rows(json.loads(answer)) == expected
    assert outcomes(tmp_path) >= before  # nothing was lost, and nothing done twice:
    lines = map(json.loads, (tmp_path / FILE).read_text().splitlines())
    keys = [line["key"] for line in lines if line["event"] == "begun"]
    begun_again = len(keys) - len(set(keys))
    assert begun_again <= 2 * (2 if more else 1)  # what was in flight when it was killed, twice
    assert not any(alive(child) for child in children)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("strategy", ["bayes", "halving"])
def test_a_sampler_that_is_killed_goes_on_to_the_same_bytes(tmp_path, strategy):
    more = ("--strategy", strategy, "--trials", "14")
    for name in ("killed", "whole"):
        folder = tmp_path / name
        if name == "killed":
            for count in (3, 12):
                killed_after(folder, count, *more)
        search = start(folder, *more)
        _, told = search.communicate()
        assert search.returncode == 0, told
    one, other = ((tmp_path / name / "result.json").read_text() for name in ("killed", "whole"))
    without = r'"seconds": [0-9.e-]+|"command": ".*"'
    assert re.sub(without, "", one) == re.sub(without, "", other)
    for name in ("candidates.csv", "smallest.h5"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["bayes", pytest.param("halving", marks=pytest.mark.exhaustive)])
def test_with_two_workers_a_search_that_goes_on_asks_in_the_order_of_the_journal(tmp_path, data, strategy):
    """Which result comes first is a matter of chance there, and draws depend on it."""
    settings = {"strategy": strategy, "sampler": "tpe", "trials": 14, "folder": tmp_path, **SETTINGS}
    one = find_smallest(data, workers=2, **settings)
    before = (tmp_path / FILE).read_bytes()
    again = find_smallest(data, **settings)
    assert again.trials == one.trials
    assert (tmp_path / FILE).read_bytes() == before


def test_a_second_search_in_the_same_folder_trains_nothing_twice(tmp_path, data):
    one = find_smallest(data, folder=tmp_path, **SETTINGS)
    count = outcomes(tmp_path)
    again = find_smallest(data, folder=tmp_path, **SETTINGS)
    assert outcomes(tmp_path) == count
    assert again.trials == one.trials
    assert (again.model.layer.weights.values == one.model.layer.weights.values).all()
    find_smallest(
        data, folder=tmp_path, **{**SETTINGS, "accuracy": 0.6, "seeds": 1}
    )  # another question, the same networks
    assert outcomes(tmp_path) == count


def test_a_line_that_was_being_written_is_dropped(tmp_path, data):
    one = find_smallest(data, folder=tmp_path, **SETTINGS)
    for junk in (b'{"version": 1, "sea', b'{"version": 1, "s\x00\x00\x00\n'):
        whole = (tmp_path / FILE).read_bytes()
        (tmp_path / FILE).write_bytes(whole + junk)
        assert find_smallest(data, folder=tmp_path, **SETTINGS).trials == one.trials


def test_a_journal_that_makes_no_sense_is_named(tmp_path, data):
    (tmp_path / FILE).write_text('nonsense\n{"op_code": 0}\n')
    words = r"jsonl: line 1 is damaged; give another folder with -o, or remove it$"
    with pytest.raises(DataError, match=words):
        find_smallest(data, folder=tmp_path, **SETTINGS)


def test_two_searches_cannot_share_a_folder(tmp_path, data):
    def second(_):
        with pytest.raises(ConfigError, match=r"another search is at work there; wait for it, or choose"):
            find_smallest(data, folder=tmp_path, **SETTINGS)

    find_smallest(data, folder=tmp_path, on_trials=second, **{**SETTINGS, "sizes": (10,)})


@pytest.mark.slow
def test_a_worker_that_is_killed_does_not_end_the_search(data, expected):
    import multiprocessing

    killed = []

    def kill_one(_):
        if not killed:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    result = find_smallest(data, workers=2, on_trials=kill_one, **SETTINGS)
    assert killed
    assert rows(result.as_dict()) == expected
    assert not {Outcome.FAILED, Outcome.UNFINISHED} & {trial.outcome for trial in result.trials}


def deadly_for_14_neurons(context, job):
    if job.network.neurons == 14:
        os._exit(1)
    return context.measure(job)


@pytest.mark.slow
def test_only_the_network_that_kills_its_workers_is_given_up(data, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # workers import this file
    monkeypatch.setattr("fspinn.search.workers.measure", deadly_for_14_neurons)
    result = find_smallest(data, workers=2, **SETTINGS)
    lost = {t.candidate.neurons: t.verdict for t in result.trials if t.outcome is Outcome.UNFINISHED}
    assert lost == {14: "not finished: 3 workers died, perhaps out of memory"}
    assert result.found


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [pytest.param(0.5, marks=pytest.mark.exhaustive), 4.0])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param([], id="alone"),
        pytest.param(["--workers", "2"], id="two-workers", marks=pytest.mark.exhaustive),
    ],
)
def test_ctrl_c_ends_a_search_also_while_kernels_compile(tmp_path, monkeypatch, more, seconds):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    folder = tmp_path / "result"
    search = start(folder, *more, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (folder / FILE).exists() or b'"key"' not in (folder / FILE).read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(seconds)
    os.killpg(search.pid, signal.SIGINT)  # as a terminal does: the workers get it as well
    answer, told = search.communicate(timeout=2)
    assert search.returncode == 130
    assert answer == ""
    assert told == "fspinn: stopped; the same command goes on where it stopped\n"
    assert outcomes(folder) == 0


@pytest.mark.slow
def test_a_script_without_a_main_guard_is_named(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import fspinn\n"
        "data = fspinn.datasets.load('digits')\n"
        "fspinn.find_smallest(data, accuracy=0.6, sizes=(10, 14, 18), workers=2, folder='result')\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.endswith(
        "UnfinishedError: the search could not finish: its workers did not start; call find_smallest in a "
        'script that is a file, under `if __name__ == "__main__":`\n'
    )
    assert outcomes(tmp_path / "result") == 0


@pytest.fixture
def cluster(tmp_path):
    """Start a Dask scheduler and two workers of one thread each, as processes of their own."""
    pytest.importorskip("distributed")
    contact = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    dask = [sys.executable, "-m", "dask"]
    common = ["--scheduler-file", str(contact), "--no-dashboard"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]
    worker = [*dask, "worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", *common]
    processes = [subprocess.Popen(scheduler, **quiet)]
    try:
        deadline = time.monotonic() + 60
        while not contact.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        yield json.loads(contact.read_text())["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_gives_the_same_answer_even_if_one_of_its_workers_is_killed(cluster, data, expected):
    from distributed import Client

    address, processes = cluster
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    told = []

    def kill_one(trials):
        told.append(trials)
        if len(told) == 2:
            processes[1].kill()

    result = find_smallest(data, scheduler=address, on_trials=kill_one, **SETTINGS)
    assert processes[1].wait() == -signal.SIGKILL
    assert rows(result.as_dict()) == expected


@pytest.mark.slow
def test_a_cluster_without_workers_or_without_a_scheduler_is_named(cluster, data):
    address, processes = cluster
    for process in processes[1:]:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 60
    while True:
        try:
            with pytest.raises(ConfigError, match=r"has no workers; start some with `dask worker tcp://"):
                find_smallest(data, scheduler=address, **SETTINGS)
            break
        except pytest.fail.Exception:
            assert time.monotonic() < deadline
    processes[0].kill()
    processes[0].wait()
    with pytest.raises(ConfigError, match=r"does not answer \(.*\); start one with `dask scheduler`"):
        find_smallest(data, scheduler=address, **SETTINGS)
