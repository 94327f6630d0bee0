"""The page can be read by all: on a narrow screen, in the dark, by keyboard, by ear and on paper."""

import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import fspinn.report
from fspinn.report.page import document

CSS = (Path(fspinn.report.__file__).parent / "page.css").read_text()
TEXT, GRAPHIC = 4.5, 3.0
"""Least contrasts of WCAG 2.2, level AA: of text, and of what is drawn or marks a control."""

PAIRS = {
    TEXT: ("ink back", "ink card", "soft back", "soft card", "accent back", "accent card", "blue back"),
    GRAPHIC: ("blue back", "accent back", "faint back", "soft card"),
}


@pytest.fixture(scope="module")
def page(searched):
    return (searched / "report.html").read_text()


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_of_black_on_white_is_known():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_colours_differ_enough_from_what_is_behind_them(place):
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--(\w+): (#\w{6});", blocks[place]))
    for least, pairs in PAIRS.items():
        for pair in pairs:
            one, other = pair.split()
            assert contrast(colours[one], colours[other]) >= least, pair


class Outline(HTMLParser):
    """Headings, and the tables and pictures that have no name."""

    def __init__(self):
        super().__init__()
        self.headings, self.nameless, self._open = [], [], None

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if self._open == "table":  # the first thing in a table is its caption, in a picture its title
            self.nameless += [self._open] if tag != "caption" else []
        if self._open == "svg":
            self.nameless += [self._open] if tag != "title" else []
        self._open = (
            tag if tag == "table" or (tag == "svg" and not {"aria-hidden", "id"} & set(given)) else None
        )
        if tag == "img" and not given.get("alt"):
            self.nameless.append(tag)
        if tag == "th" and given.get("scope") not in ("col", "row"):
            self.nameless.append(tag)


def test_headings_are_in_order_and_tables_and_pictures_have_names(page):
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    outline = Outline()
    outline.feed(page)
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(
        after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False)
    )
    assert outline.nameless == []
    assert page.count("<caption>") == page.count("<table") >= 3
    assert not re.search(r"<th[^>]*></th>", page)


# --- in a browser -------------------------------------------------------------------------------------

PROBE = """<script>
const luminance = words => {
  const [r, g, b] = words.match(/[\\d.]+/g).map(one => one / 255)
    .map(one => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const contrast = (...two) => {
  const [dark, light] = two.map(luminance).sort((a, b) => a - b);
  return (light + .05) / (dark + .05);
};
function behind(one) {
  while (one && /, 0\\)$|^transparent$/.test(getComputedStyle(one).backgroundColor)) one = one.parentElement;
  return one ? getComputedStyle(one).backgroundColor : "rgb(255, 255, 255)";
}
function faint() {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement, look = getComputedStyle(one);
    if (!walk.currentNode.data.trim() || ["SCRIPT", "STYLE", "title"].includes(one.nodeName)) continue;
    if (contrast(one.namespaceURI.endsWith("svg") ? look.fill : look.color, behind(one)) < 4.5) {
      found.push(walk.currentNode.data);
    }
  }
  return found;
}
const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const column = k => [...document.querySelectorAll("#trials tbody tr")].map(row => row.cells[k].textContent);
function walkThrough(group) {
  const stops = group.querySelectorAll("[tabindex='0']"), places = [];
  stops[0].focus();
  press("Home");
  do {
    places.push(document.activeElement.getBoundingClientRect().x);
    press("ArrowRight");
  } while (places.length < group.children.length);
  const after = group.querySelectorAll("[tabindex='0']").length;
  const named = [...group.children].every(one => one.getAttribute("aria-label").length > 20);
  const sorted = places.every((x, k) => k === 0 || x >= places[k - 1] - 9);
  const lit = document.activeElement.matches(".mark.on");
  return [stops.length, after, named, sorted, new Set(places).size > 1, lit];
}
function sorts() {
  const head = document.querySelectorAll("#trials thead th")[2], button = head.querySelector("button");
  const found = [[head.getAttribute("aria-sort"), column(2)]];
  for (let k = 0; k < 2; k++) {
    button.click();
    found.push([head.getAttribute("aria-sort"), column(2)]);
  }
  return found;
}
addEventListener("load", () => {
  const out = {name: NAME, width: document.documentElement.scrollWidth};
  out.cut = [...document.querySelectorAll(".wide")].map(one => one.scrollWidth - one.clientWidth);
  document.querySelectorAll("details").forEach(one => { one.open = true; });
  out.opened = document.documentElement.scrollWidth;
  out.faint = faint();
  out.sorts = sorts();
  out.walks = [...document.querySelectorAll("g.marks")].map(walkThrough);
  press("Escape");
  out.tip = document.getElementById("tip").style.display;
  const select = document.getElementById("across");
  select.focus();
  out.outline = getComputedStyle(select).outlineStyle;
  if (typeof follow === "function") out.live = goesOn();
  parent.postMessage(JSON.stringify(out), "*");
});
// A page that follows a search, while it is drawn anew.
function goesOn() {
  const stand = document.querySelector("g.marks .mark.front");
  stand.focus();
  scrollTo(0, 500);
  const before = document.querySelectorAll("#trials tbody tr").length, choice = document.getElementById("up");
  choice.value = 2;
  redraw(SECOND);
  const rows = document.querySelectorAll("#trials tbody tr").length;
  const sorted = document.querySelector("#trials th[aria-sort=descending]").textContent;
  const same = document.activeElement.dataset.t === stand.dataset.t && document.activeElement !== stand;
  return [before, rows, sorted, same, scrollY, document.getElementById("all").open,
    document.getElementById("up").value, state.textContent];
}
</script></body>"""

WRAPPER = """<body><script>
addEventListener("message", event => {
  const said = document.createElement("pre");
  said.textContent = event.data;
  document.body.append(said);
});
</script>%s</body>"""


def sections_of(page):
    return page[page.index("<main>") + 6 : page.index("</main>")]


@pytest.fixture(scope="module")
def drawn(page, tmp_path_factory):
    """What a browser says of the page: narrow, in the dark, on paper, and following a search."""
    folder = tmp_path_factory.mktemp("pages")
    sections = sections_of(page)
    few = re.sub(r"<tr id=\"t0\".*?</tr>", "", sections)
    live = document({"answer": None}, state="Reading.").replace("<main>", f"<main>{few}")
    stubbed = "<script>window.fetch = () => new Promise(() => {});</script></head>"
    pages = {
        "narrow": (page, 400),
        "dark": (page.replace("@media screen and (prefers-color-scheme: dark)", "@media all"), 400),
        "paper": (page.replace("@media print", "@media all"), 700),
        "live": (live.replace("</head>", stubbed), 800),
    }
    frames = ""
    for name, (text, width) in pages.items():
        second = json.dumps(sections).replace("</", "<\\/")
        probe = PROBE.replace("NAME", json.dumps(name)).replace("SECOND", second)
        (folder / f"{name}.html").write_text(text.replace("</body>", probe))
        frames += f'<iframe src="{name}.html" style="width: {width}px; height: 800px; border: 0"></iframe>'
    (folder / "all.html").write_text(WRAPPER % frames)
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *(f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--virtual-time-budget=10000", "--dump-dom", (folder / "all.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = [json.loads(unescape(one)) for one in re.findall("<pre>(.*?)</pre>", done.stdout)]
    return {one["name"]: one for one in said}


in_a_browser = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")


@in_a_browser
@pytest.mark.parametrize("name", ["narrow", "dark"])
def test_400_pixels_are_wide_enough_and_only_tables_scroll(drawn, name):
    assert drawn[name]["width"] <= 400
    assert drawn[name]["opened"] <= 400
    assert max(drawn[name]["cut"]) > 0


@in_a_browser
@pytest.mark.parametrize("name", ["narrow", "dark", "paper", "live"])
def test_no_text_is_faint(drawn, name):
    assert drawn[name]["faint"] == []


@in_a_browser
def test_on_paper_no_table_is_cut_off(drawn):
    assert max(drawn["paper"]["cut"]) == 0
    assert drawn["paper"]["opened"] <= 700


@in_a_browser
def test_heads_sort_the_table_and_say_so(drawn):
    (before, as_found), (up, rising), (down, falling) = drawn["narrow"]["sorts"]
    assert (before, up, down) == ("none", "ascending", "descending")
    bits = [float(words.split()[0].replace(",", "")) * (1024 if "KiB" in words else 1) for words in rising]
    assert bits == sorted(bits)
    assert sorted(as_found) == sorted(rising)
    assert falling != rising
    assert sorted(falling) == sorted(rising)


@in_a_browser
def test_arrow_keys_go_through_all_marks_from_left_to_right(drawn):
    walks = drawn["narrow"]["walks"]
    assert len(walks) == 5  # four charts, and any two quantities
    assert walks == [[1, 1, True, True, True, True]] * 5
    assert drawn["narrow"]["tip"] == "none"  # after Escape
    assert drawn["narrow"]["outline"] == "solid"


@in_a_browser
def test_a_page_that_is_drawn_anew_keeps_what_its_reader_did(drawn):
    before, rows, sorted_by, same_mark, scrolled, opened, chosen, state = drawn["live"]["live"]
    assert rows == before + 1
    assert sorted_by == "memory"
    assert (same_mark, scrolled, opened, chosen) == (True, 500, True, "2")
    assert state == "Reading."
