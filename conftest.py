"""Modules whose library is not there have no doctests; whatever else fails to import is an error."""

from importlib.util import find_spec
from pathlib import Path

_NEEDS_TORCH = Path(__file__).parent / "fspinn" / "learning" / "surrogate"

collect_ignore: list[str] = []
if find_spec("torch") is None:
    files = _NEEDS_TORCH.glob("*.py")
    collect_ignore += [str(path) for path in files if "\nimport torch\n" in path.read_text()]
