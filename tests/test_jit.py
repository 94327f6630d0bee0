"""The cache of machine code can be trusted: any edit to any kernel starts an empty one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numba
import numpy as np
import platformdirs
import pytest

import fspinn
from fspinn.answering import ahead
from fspinn.base import jit

PACKAGE = Path(fspinn.__file__).parent


def kernel_files(package=PACKAGE):
    return sorted(path.relative_to(package) for path in package.rglob("*kernels.py"))


DIGESTED = [*kernel_files(), Path("base", "jit.py")]


@pytest.fixture
def copied_kernels(tmp_path):
    for name in DIGESTED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / name, tmp_path / name)
    return tmp_path


def add_one(number):
    return number + 1


def sum_of_ones(count):
    return np.ones(count).sum()


def test_the_digest_is_of_the_content_wherever_it_lies(copied_kernels):
    assert jit.kernel_digest(copied_kernels) == jit.kernel_digest()


@pytest.mark.parametrize("name", DIGESTED, ids=str)
def test_the_digest_changes_with_every_kernel_file(copied_kernels, name):
    with open(copied_kernels / name, "a") as file:
        file.write("\n")
    assert jit.kernel_digest(copied_kernels) != jit.kernel_digest()


def test_the_digest_changes_with_a_new_kernel_file(copied_kernels):
    (copied_kernels / "backends" / "numba" / "other_kernels.py").touch()
    assert jit.kernel_digest(copied_kernels) != jit.kernel_digest()


def test_the_digest_changes_with_the_compiler(monkeypatch):
    before = jit.kernel_digest()
    monkeypatch.setattr(numba, "__version__", "0.0.0")
    assert jit.kernel_digest() != before


def test_compiled_code_lives_only_in_kernel_files():
    users = {path.name for path in PACKAGE.rglob("*.py") if "njit" in path.read_text(encoding="utf-8")}
    assert users - {"jit.py"} <= {name.name for name in kernel_files()}


def test_kernels_import_nothing_of_the_package_but_kernels():
    for name in kernel_files():
        lines = (PACKAGE / name).read_text(encoding="utf-8").splitlines()
        imported = [line.split()[1] for line in lines if line.startswith(("from fspinn", "import fspinn"))]
        assert all(module == "fspinn.base.jit" or module.endswith("kernels") for module in imported), name


def test_the_cache_is_outside_the_package_and_carries_the_digest(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    folder = jit.kernel_folder()
    assert folder == tmp_path / "fspinn" / "kernels" / jit.kernel_digest()
    assert folder.is_dir()
    assert jit._CACHE is None or PACKAGE.resolve() not in jit._CACHE.resolve().parents


def test_where_nothing_can_be_written_there_is_no_cache(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "file" / name)
    assert jit.kernel_folder() is None
    monkeypatch.setattr(jit, "_CACHE", None)
    monkeypatch.setattr(jit.numba_config, "CACHE_DIR", "")
    assert jit.njit(add_one)(1) == 2
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_written_to_is_no_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    assert jit.kernel_folder() is None


def test_machine_code_goes_to_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(jit, "_CACHE", tmp_path / "ours")
    monkeypatch.setattr(jit.numba_config, "CACHE_DIR", "theirs")
    assert jit.njit(add_one)(1) == 2
    assert list((tmp_path / "ours").rglob("*.nbi"))
    assert jit.numba_config.CACHE_DIR == "theirs"


def test_two_processes_never_write_the_same_file_of_machine_code(monkeypatch, tmp_path):
    """Numba's index may name a file for one type while another process writes another's code there."""
    monkeypatch.setattr(jit, "_CACHE", tmp_path)
    for process in ("one", "other"):
        monkeypatch.setattr(jit, "_PROCESS", process)
        kernel = jit.njit(add_one)
        for index in tmp_path.rglob("*.nbi"):
            index.unlink()  # as if the other had read it before this one wrote it
        assert kernel(1 if process == "one" else 1.5) == (2 if process == "one" else 2.5)
    assert sorted(file.name.split(".")[-2] for file in tmp_path.rglob("*.nbc")) == ["one", "other"]


def test_a_folder_that_a_user_chose_carries_the_digest_too(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "theirs"))
    assert jit.kernel_folder() == tmp_path / "theirs" / jit.kernel_digest()
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert jit.kernel_folder() is None


def test_a_kernel_is_not_compiled_if_it_allocates(monkeypatch):
    monkeypatch.setattr(jit, "_CACHE", None)  # it may hold the code of the next test
    with pytest.raises(numba.core.errors.NumbaError, match="Only accept returning of array passed into"):
        jit.njit(sum_of_ones)(3)


def test_a_kernel_that_allocates_can_be_called_from_one_that_does_not():
    allocating = jit.njit_allocating(sum_of_ones)

    def twice(count):
        return 2 * allocating(count)

    assert jit.njit(twice)(3) == 6


LOWER = """
import numpy as np
from fspinn.backends.numba import engine, schedule_kernels
from fspinn.lowering.compiler import learning_plan
from fspinn.model.activity import Activity
from fspinn.network import Network, Neuron, Stdp

network = Network.dense(2, neuron=Neuron(weight_norm=1.0))
weights, theta = np.ones((1, 2), np.float32), np.zeros(2, np.float32)
plan = learning_plan(network, Stdp(), weights, theta)
(layer,) = plan.layers
constants, state = engine._reals(plan, layer), engine._state(layer, np.float32)
learning = engine._real_learning(layer.learning, 1.0, layer, on=True)
step, counted = np.float32(1), np.zeros(len(Activity().as_tuple()), np.int64)
schedule_kernels.end_presentation(1, 0, weights, theta, step, constants, learning, state, counted)
print(theta.tolist())
"""


def test_an_edit_to_a_kernel_that_another_file_calls_is_noticed(tmp_path):
    """Numba's own cache would answer with the machine code from before the edit (numba#8359)."""
    package = tmp_path / "fspinn"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("NUMBA_CACHE_DIR", None)

    def thresholds():
        command = [sys.executable, "-c", LOWER]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    assert thresholds() == "[-1.0, -1.0]"
    kernels = package / "backends" / "numba" / "plasticity_kernels.py"
    text = kernels.read_text(encoding="utf-8")
    edited = text.replace("theta[j] - fall", "theta[j] - 2 * fall")
    assert edited != text
    kernels.write_text(edited, encoding="utf-8")
    assert thresholds() == "[-2.0, -2.0]"
    if sys.platform == "linux":
        assert len(os.listdir(tmp_path / "cache" / "fspinn" / "kernels")) == 2


COMPILE = """
import numba.core.event
import numpy as np

class Listener(numba.core.event.Listener):
    def on_start(self, event):
        kernel = event.data["dispatcher"].py_func
        if kernel.__module__.startswith("fspinn."):
            print(f"{kernel.__module__}.{kernel.__name__}", event.data["args"], sep="|")

    def on_end(self, event):
        pass

numba.core.event.register("numba:compile", Listener())
import fspinn
from fspinn.learning.training import learn

images, labels = np.full((4, 2, 2), 200, np.uint8), np.array([0, 1, 0, 1])
split = fspinn.datasets.Split(images, labels)
data = fspinn.datasets.Dataset("few", split, split, split, ("a", "b"), "checksum", 0)
network = fspinn.Network.dense(2, neuron=fspinn.network.Neuron(threshold=0.1))
learner = fspinn.Stdp(passes=1)
model = fspinn.train(network, data, learner=learner, progress=False).model
fspinn.predict(fspinn.quantize(model, "UQ0.4", state="Q11.5"), images)
learn(network, data, learner, weights="UQ0.4", progress=False)
"""


AHEAD = """
from fspinn.answering.ahead import compile_answers
compile_answers()
"""

SEARCH = """
import sys
from fspinn.cli import main

sys.argv = ["fspinn", "search", "-o", "found"]
main()
"""


@pytest.mark.exhaustive
def test_what_answers_in_a_search_can_be_compiled_ahead(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    listen, *_ = COMPILE.partition("import fspinn\n")

    def compiled_by(program):
        found = subprocess.run(
            [sys.executable, "-c", listen + program],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            cwd=tmp_path,
        )
        return [line.split("|")[0].split(".")[-1] for line in found.stdout.splitlines() if "|" in line]

    ahead, later = compiled_by(AHEAD), compiled_by(SEARCH)
    assert (ahead.count("answer_columns"), ahead.count("present_batch")) == (3, 1)
    assert (later.count("answer_columns"), later.count("present_batch")) == (0, 1)  # in floats, for learning


def test_a_process_compiles_ahead_only_where_nothing_is_compiled_and_a_core_is_free(monkeypatch):
    begun = []

    def begin(*_, **__):
        begun.append("begun")
        return SimpleNamespace(kill=lambda: begun.append("killed"), communicate=lambda: begun.append("gone"))

    monkeypatch.setattr(ahead.subprocess, "Popen", begin)
    for kept, cold, cores in ((True, False, 2), (True, True, 1), (False, True, 2)):
        monkeypatch.setattr(ahead, "kernel_folder", lambda kept=kept: Path() if kept else None)
        monkeypatch.setattr(ahead, "will_compile", lambda cold=cold: cold)
        monkeypatch.setattr(ahead, "available_cores", lambda cores=cores: cores)
        with ahead.compiling_ahead():
            assert begun == []
    monkeypatch.setattr(ahead, "kernel_folder", Path)
    with pytest.raises(KeyboardInterrupt), ahead.compiling_ahead():
        raise KeyboardInterrupt
    assert begun == ["begun", "killed", "gone"]


@pytest.mark.exhaustive
def test_first_start_compiles_no_kernel_for_single_numbers_and_the_large_ones_once(tmp_path):
    """Numba compiles a kernel anew for a number that stands in a call, such as the 0 of ``run(0, stop)``."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", COMPILE], capture_output=True, text=True, check=True, env=environment
    )
    compiled = [line.split("|") for line in found.stdout.splitlines()]
    assert [name for name, arguments in compiled if "Literal" in arguments] == []
    names = [name for name, _ in compiled]
    # Once each for reals, for answers in integers, and for learning in integers.
    for large in ("run_window", "present_batch"):
        assert names.count(f"fspinn.backends.numba.schedule_kernels.{large}") == 3
    assert names.count("fspinn.network.encoder_kernels.encode_batch") == 1
