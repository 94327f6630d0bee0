"""Reference pages that are made from the code: settings, equations, commands, keys of files and of JSON.

Sphinx calls `setup` before it reads the pages; they are written to `docs/reference/`, which git ignores.
"""

import re
from typing import Any

from model_pages import costs, equations, integers, order
from output_page import outputs
from pages import EQUATION, ROOT
from reference_pages import commands, hardware, settings, spaces

PAGES = ROOT / "docs" / "reference"


def setup(app: Any) -> dict[str, bool]:
    """Be a Sphinx extension."""
    app.connect("builder-inited", lambda _: write())
    app.connect("autodoc-process-docstring", _as_rst, priority=1)
    return {"parallel_read_safe": True}


def write() -> None:
    """Write all pages whose code is newer than they are."""
    PAGES.mkdir(exist_ok=True)
    makers = {
        "order.md": order,
        "integers.md": integers,
        "equations.md": equations,
        "costs.md": costs,
        "settings.md": settings,
        "commands.md": commands,
        "hardware.md": hardware,
        "spaces.md": spaces,
        "outputs.md": outputs,
    }
    folders = ("fspinn", "memmodel", "quant", "datasets", "docs/_ext")
    sources = [
        path for folder in folders for path in (ROOT / folder).rglob("*.*") if path.suffix in (".py", ".toml")
    ]
    newest = max(path.stat().st_mtime for path in sources)
    for name, make in makers.items():
        page = PAGES / name
        if not page.exists() or page.stat().st_mtime < newest:
            page.write_text("\n".join(make()) + "\n", encoding="utf-8")


def _as_rst(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Make blocks of equations in docstrings literal blocks, before numpydoc reads them."""
    text, parameters, rest = "\n".join(lines).partition("\nParameters\n------")
    blocks = []
    for block in re.split(r"\n[ ]*\n", text):
        inner = block.split("\n")
        if (
            inner[0]
            and not inner[0].startswith((" ", "-", "*", ">", ".", "1"))
            and all(map(EQUATION.match, inner))
        ):
            block = "::\n\n" + "\n".join(f"    {line}" for line in inner)
        elif inner[0] and all(line.startswith("    ") for line in inner if line):
            block = "::\n\n" + block
        blocks.append(block)
    lines[:] = ("\n\n".join(blocks) + parameters + rest).split("\n")
