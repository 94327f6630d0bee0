"""Pages: what their code blocks say happens, and what pages outside of the site link to is there.

    pytest docs/test_pages.py

Of a page all blocks are run in their order, in a folder of its own: `pycon` as doctests, `python` as it
stands, `console` line by line; what follows a line that starts with `$` is what it prints ("..." stands
for anything). Blocks of other kinds (`text`, `sh`, indented ones) are only shown. Links between pages are
checked when Sphinx builds them.
"""

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGES = sorted(
    path.relative_to(DOCS)
    for path in DOCS.rglob("*.md")
    if path.relative_to(DOCS).parts[0] not in ("_build", "reference")
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
RUN = ("pycon", "python", "console")
NEEDS = {"make": ("make", "gcc")}
"""Commands that are left out where these are not installed."""


def blocks(page):
    return [found for found in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")) if found[0] in RUN]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=str)
def test_the_code_of_a_page_does_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    names = {"__name__": "__main__"}
    for number, (kind, code) in enumerate(blocks(page), 1):
        where = f"{page}, block {number}"
        if kind == "console":
            for command, printed in commands(code):
                run(command, printed, where)
        elif kind == "python":
            exec(compile(code, where, "exec"), names)
        else:
            test = doctest.DocTestParser().get_doctest(code, names, where, str(page), 0)
            said = []
            failed = (
                doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False).failed
            )
            assert not failed, "".join(said)
            names = test.globs


def commands(code):
    """Return each command of a block, and what it is said to print."""
    found = []
    for line in code.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif found[-1][0].endswith("\\"):
            found[-1][0] = f"{found[-1][0][:-1]}{line.strip()}"
        else:
            found[-1][1] += line + "\n"
    return found


def run(command, printed, where):
    tools = NEEDS.get(command.split()[0], ())
    if any(subprocess.run(["which", tool], capture_output=True).returncode for tool in tools):
        return
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=500)
    refused = printed.startswith("fspinn: ")
    assert refused == (done.returncode in (1, 2)), f"{where}: {command}\n{done.stdout}{done.stderr}"
    said = done.stderr if refused else done.stdout
    if printed:
        assert doctest.OutputChecker().check_output(printed, said, FLAGS), f"{where}: {command}\n{said}"


LINKING = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")),
]


@pytest.mark.parametrize("name", LINKING)
def test_what_a_file_outside_of_the_site_links_to_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http:", "https:")):
            path, _, heading = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            assert file.exists(), f"{name}: {target}"
            assert not heading or heading in headings(file), f"{name}: {target}"


def headings(file):
    """Return the headings of a page as links name them."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
