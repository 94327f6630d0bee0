"""Compile kernels with Numba, and keep the machine code where it can be trusted.

Numba's own disk cache notices an edit to the file of a kernel, but not to the file of another kernel
that it calls, and then returns wrong numbers (numba#8359). So the cache folder carries a digest of
all kernel files and of this one: whoever edits any of them starts with an empty one. For the digest to
be whole, compiled code lives only in files named ``*kernels.py``, and these import nothing of fspinn but
this module and each other (a contract in ``pyproject.toml``).
"""

import glob
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numba
import platformdirs
from numba.core import config as numba_config

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parents[1]


def kernel_digest(package: Path = _PACKAGE) -> str:
    """Return a digest of this file, of those in `package` that hold compiled code, and of Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in sorted(["base/jit.py", *glob.glob("**/*kernels.py", root_dir=package, recursive=True)]):
        digest.update(name.encode() + b"\0" + (package / name).read_bytes())
    return digest.hexdigest()[:16]


def kernel_folder() -> Path | None:
    """Return the folder for compiled kernels, or None where nothing can be written.

    It lies in the folder that the environment variable ``NUMBA_CACHE_DIR`` names, or in the user's cache.
    """
    chosen_by_user = os.environ.get("NUMBA_CACHE_DIR")
    parent = Path(chosen_by_user) if chosen_by_user else platformdirs.user_cache_path("fspinn") / "kernels"
    folder = parent / kernel_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def will_compile() -> bool:
    """Return whether kernels are probably still to be compiled."""
    folder = kernel_folder()
    return folder is None or next(folder.rglob("*.nbc"), None) is None


def compiling() -> str:
    """Return what a person reads while nothing else happens."""
    if kernel_folder() is None:
        return (
            "compiling the engine, at every start: NUMBA_CACHE_DIR has to name a folder that can be written"
        )
    return "compiling the engine, once; later starts are fast"


_CACHE = kernel_folder()
_PROCESS = uuid4().hex[:12]


def njit(function: Kernel) -> Kernel:
    """Compile a kernel without the interpreter lock; cached on disk for the next start.

    Kernels can be called, but not given to other kernels as values: what Numba makes for that is a tenth of
    the time that it takes to compile them.

    Most kernels are called in every time step, where to hand over arrays takes as long as what is done with
    them. So they are inlined into their callers, and Numba counts no references to arrays. A kernel therefore
    allocates nothing (Numba refuses it) and returns numbers only: never an array, not even in a tuple.
    """
    return _compiled(function, allocates=False)


def njit_allocating(function: Kernel) -> Kernel:
    """Compile a kernel that allocates arrays, which it does not return."""
    return _compiled(function, allocates=True)


def _compiled(function: Kernel, allocates: bool) -> Kernel:
    chosen_by_user = numba_config.CACHE_DIR
    numba_config.CACHE_DIR = str(_CACHE or "")
    try:
        # `_nrt`, which counts references, is no documented option: should it go, imports fail at once.
        kernel: Kernel = numba.njit(
            nogil=True,
            no_cfunc_wrapper=True,
            cache=_CACHE is not None,
            _nrt=allocates,
            forceinline=not allocates,
        )(function)
    finally:
        numba_config.CACHE_DIR = chosen_by_user
    if _CACHE is not None:
        # Numba numbers the files of a kernel without a lock: two processes that compile it for other types at
        # once could leave the code of one in the file that the index names for the other.
        files: Any = kernel._cache._cache_file  # type: ignore[attr-defined]
        files._data_name_pattern = files._data_name_pattern.replace("{number:d}", f"{{number:d}}.{_PROCESS}")
    return kernel
