"""The package: its layout, what it imports and how quickly it starts."""

import ast
import importlib.resources
import os
import subprocess
import sys
import sysconfig
import time
import tomllib
from pathlib import Path

import pytest

import fspinn

ROOT = Path(__file__).parents[1]
LINKS = ("datasets", "memmodel", "quant")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def modules():
    """Return the files of fspinn in this checkout by the names of their modules."""
    found = {}
    for folder, _, files in os.walk(ROOT / "fspinn", followlinks=True):
        for file in files:
            path = Path(folder, file)
            if path.suffix == ".py":
                parts = path.relative_to(ROOT).with_suffix("").parts
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


def run_python(code, folder):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def test_packages_are_the_folders_that_hold_an_init():
    packages = {name for name, path in modules().items() if path.name == "__init__.py"}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages


@pytest.mark.parametrize("name", LINKS)
def test_the_folders_at_the_top_are_linked_into_the_package(name):
    assert os.readlink(ROOT / "fspinn" / name) == f"../{name}"
    assert PROJECT["tool"]["setuptools"]["package-dir"][f"fspinn.{name}"] == name


def test_datasets_is_refused_as_a_top_level_package():
    result = run_python("import datasets", ROOT)
    assert result.returncode == 1
    assert "is fspinn.datasets, not the package 'datasets': start Python outside" in result.stderr


@pytest.mark.parametrize("name", LINKS)
def test_public_names_live_inside_fspinn(name):
    package = getattr(fspinn, name)
    objects = [getattr(package, public) for public in package.__all__]
    homes = {thing.__module__ for thing in objects if hasattr(thing, "__module__")}
    assert homes
    assert all(home.startswith(f"fspinn.{name}.") for home in homes)


@pytest.mark.parametrize("name", fspinn.__all__)
def test_every_public_name_resolves(name):
    assert getattr(fspinn, name) is not None
    assert name in dir(fspinn)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fspinn' has no attribute 'nonsense'"):
        _ = fspinn.nonsense


@pytest.mark.parametrize("name", ["fspinn", "fspinn.cli"])
def test_import_leaves_slow_libraries_alone(name, tmp_path):
    result = run_python(f"import sys, {name}; print(*sys.modules)", tmp_path)
    assert result.returncode == 0, result.stderr
    slow = {"brian2", "h5py", "matplotlib", "numba", "pooch", "scipy", "sklearn", "sympy", "torch"}
    assert slow.isdisjoint(result.stdout.split())


def test_help_takes_less_than_half_a_second(tmp_path):
    fspinn_script = Path(sysconfig.get_path("scripts"), "fspinn")
    times = []
    for _ in range(10):  # the machine may be busy: the best counts
        start = time.perf_counter()
        subprocess.run([fspinn_script, "--help"], cwd=tmp_path, capture_output=True, check=True)
        times.append(time.perf_counter() - start)
        if times[-1] <= 0.5:
            return
    pytest.fail(f"fspinn --help took {min(times):.2f} s at best; import slow libraries where they are used")


def test_the_version_is_said_twice_and_is_the_same():
    assert PROJECT["project"]["version"] == fspinn.__version__


def test_type_hints_are_shipped():
    assert importlib.resources.files("fspinn").joinpath("py.typed").is_file()
    assert "py.typed" in PROJECT["tool"]["setuptools"]["package-data"]["fspinn"]


def test_compiled_code_lives_in_kernels_files_only():
    for name, path in modules().items():
        if name != "fspinn.base.jit" and not name.endswith("kernels"):
            assert "njit" not in path.read_text(), f"{path}: move its kernels to a file named *kernels.py"


def test_kernels_import_only_jit_and_kernels():
    for name, path in modules().items():
        if name.endswith("kernels"):
            for module in imported(path.read_text()):
                ours = module.startswith("fspinn")
                assert not ours or module == "fspinn.base.jit" or module.endswith("kernels"), (
                    f"{path}: {module}"
                )


def test_backends_and_kernels_read_plans_and_no_descriptions():
    for name, path in modules().items():
        if name.startswith("fspinn.backends"):
            text = path.read_text()
            assert ".network." not in text.replace("fspinn.network.", ""), path
            assert "import Network" not in text, path


def test_the_type_checker_knows_every_file_of_kernels():
    kernels = {name for name in modules() if name.endswith("kernels")}
    assert set(PROJECT["tool"]["mypy"]["untyped_calls_exclude"]) == kernels
    assert any(set(override["module"]) == kernels for override in PROJECT["tool"]["mypy"]["overrides"])


def imported(source):
    """Return the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"fspinn.{alias.name}" for alias in node.names if node.module == "fspinn"} or {
                node.module
            }
    return found


def test_torch_is_imported_by_no_learner_but_the_one_that_needs_it(tmp_path):
    words = (
        "import sys, fspinn.learning.training, fspinn.search.jobs, fspinn.search.sweep; print(*sys.modules)"
    )
    assert "torch" not in run_python(words, tmp_path).stdout.split()


def collected(*arguments, before="pass"):
    """Return what pytest says of the files that it would run, as the project sets it up."""
    options = ["--collect-only", "-q", "-p", "no:cacheprovider", *map(str, arguments)]
    code = f"import sys; {before}; import pytest; sys.exit(pytest.main({options!r}))"
    return run_python(code, ROOT)


def test_a_test_file_that_fails_to_import_is_an_error(tmp_path):
    broken = tmp_path / "test_broken.py"
    broken.write_text("import nothing_of_the_sort\n\n\ndef test_it():\n    pass\n")
    found = collected("-c", ROOT / "pyproject.toml", "--rootdir", ROOT, broken)
    assert found.returncode == 2, found.stdout
    assert "ModuleNotFoundError: No module named 'nothing_of_the_sort'" in found.stdout


def test_without_torch_doctests_are_collected_but_of_modules_that_need_it():
    found = collected("fspinn/learning/surrogate", "fspinn/quant", before="sys.modules['torch'] = None")
    assert found.returncode == 0, found.stdout
    assert "fspinn.quant.packing" in found.stdout
    assert "error" not in found.stdout
