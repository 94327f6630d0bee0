"""The wheel, installed into an empty environment, beside foreign packages called `datasets` and `quant`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fspinn

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "fspinn", "quant", "memmodel", "datasets")

IMPORT_EVERYTHING = """
import importlib.resources, pkgutil
import fspinn, fspinn.quant, fspinn.memmodel, fspinn.datasets
import datasets, quant

names = [module.name for module in pkgutil.walk_packages(fspinn.__path__, "fspinn.")]
for name in names:
    # One would run the command, and those need torch, which is an extra.
    if name != "fspinn.__main__" and not name.startswith("fspinn.learning.surrogate."):
        importlib.import_module(name)
for name in fspinn.__all__:
    getattr(fspinn, name)
assert {"fspinn.quant.formats", "fspinn.memmodel.energy", "fspinn.datasets.idx"} <= set(names), names
assert datasets.IS_FOREIGN and quant.IS_FOREIGN
assert fspinn.datasets.__name__ == "fspinn.datasets"
assert fspinn.memmodel.load_hardware("asic65-lp").sources
assert importlib.resources.files("fspinn").joinpath("py.typed").is_file()
print(fspinn.__file__)
"""


def run(*command, folder, **environment):
    """Run a command as a user would, and return what it printed; a failure shows all of it."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "NUMBA_CACHE_DIR")}
    result = subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Python of a new environment in which nothing but the wheel of this checkout is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "venv", "environment", folder=folder)
    scripts = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    pip = (scripts / "python", "-m", "pip", "-qq", "--disable-pip-version-check")

    probe = subprocess.run([*pip, "download", "--no-deps", "setuptools>=77"], cwd=folder, capture_output=True)
    if probe.returncode != 0:
        pytest.skip("pip reaches no package index here, so nothing can be installed")

    source = folder / "source"
    source.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder / "dist", source, folder=folder)
    (wheel,) = (folder / "dist").glob("fspinn-*.whl")
    run(*pip, "install", "--no-compile", wheel, folder=folder)

    site_packages = package_folder(scripts / "python", folder).parent
    for name in ("datasets", "quant"):
        (site_packages / name).mkdir()
        (site_packages / name / "__init__.py").write_text("IS_FOREIGN = True\n")
    return scripts / "python"


def package_folder(python, folder):
    return Path(run(python, "-c", "import fspinn; print(fspinn.__path__[0])", folder=folder).strip())


def files_in(package):
    return {path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_everything_is_there_beside_foreign_packages(python, tmp_path):
    home = run(python, "-c", IMPORT_EVERYTHING, folder=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert not Path(home.strip()).is_relative_to(ROOT)


def test_the_command_trains_and_writes_nothing_into_the_package(python, tmp_path):
    command = python.with_name("fspinn")
    package = package_folder(python, tmp_path)
    before = files_in(package)
    assert run(command, "--version", folder=tmp_path).split()[-1] == fspinn.__version__
    assert "Commands:" in run(command, "--help", folder=tmp_path)
    assert "Commands:" in run(python, "-m", "fspinn", "--help", folder=tmp_path)
    arguments = ("train", "--neurons", "10", "--samples", "200", "-o", "net.h5")
    run(command, *arguments, folder=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (tmp_path / "net.h5").is_file()
    assert list((tmp_path / "cache").rglob("*.nbi"))
    assert files_in(package) == before
