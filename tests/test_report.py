"""The page about a search shows all of it, needs no network, and says whether spikes are worth it."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from quick_searches import WORDS

import fspinn
from fspinn.base.errors import DataError
from fspinn.cli import main
from fspinn.datasets import load
from fspinn.report import charts, write_report
from fspinn.report.comparison import compared
from fspinn.report.importance import importances
from fspinn.report.page import _latency
from fspinn.search.baselines import Baseline, best_of
from fspinn.search.linear import LINEAR_BITS
from fspinn.search.shortfalls import Group, heading
from fspinn.search.worth import worth


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(searched):
    return searched


@pytest.fixture(scope="module")
def answer(folder):
    return json.loads((folder / "result.json").read_text())


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def data():
    digits = load("digits", validation=300)
    return replace(digits, train=digits.train.first(400))


def without_winner(folder, answer, **changes):
    """Write the result of a search that found nothing."""
    folder.mkdir()
    lost = {**answer, "found": False, "certificate": None, "test_accuracy": None}
    lost |= {"ending": "none reaches", "outcome": "below", "untried": 0, **changes}
    (folder / "result.json").write_text(json.dumps(lost))
    return folder


# --- the page -----------------------------------------------------------------------------------------


def test_every_trial_has_a_mark_in_every_chart_and_a_row(page, answer):
    numbers = {str(k) for k in range(len(answer["trials"]))}
    pictures = re.findall(r"<svg[^>]*><title>.*?</svg>", page, re.DOTALL)
    names = re.findall(r"<svg.*?<title>.* against (.*?)</title>", page)
    assert [name.split(" (")[0] for name in names] == [axis.words for axis in charts.AXES]
    for picture in pictures:
        marks = re.findall(r'<path class="mark (\w+)".*?data-t="(\d+)"', picture)
        assert {number for _, number in marks} == numbers
        assert len(marks) == len(numbers)
        assert marks[-1][0] == "winner"
    assert set(re.findall(r'<tr id="t(\d+)"', page)) == numbers


def test_it_says_what_the_search_says(page, answer):
    best, test = 100 * answer["accuracy"], 100 * answer["test_accuracy"]
    low, high = (100 * end for end in answer["accuracy_interval"])
    for words in (
        f"{answer['neurons']} neurons, {answer['weights']} weights",
        f"{best:.1f} % of the validation images ({low:.1f} % to {high:.1f} %; 95 % interval, mean of 2",
        f"On the 359 test images, used this once, it is {test:.1f} %",
        f"with 97.5 % confidence at least {low:.1f} %, and 60.0 % were asked for",
        "It keeps to all limits: energy 9 \u00b5J.",
        f"Of {answer['certificate']['tried']} candidates with less memory that were tried, none is proven",
        "the answer learned with the seeds 0, 1",
        f"{answer['memory_bits'] / 8:.3g} B",
    ):
        assert words in page
    for shortfall in answer["certificate"]["next_smaller"]:
        why = shortfall["luck"] or shortfall["reason"]
        assert f"<td>{why.replace('%', ' %')}" in page
    for group, count in answer["certificate"]["groups"].items():
        assert not count or f"{heading(Group(group), 300)[1:]}: {count}" in page


def test_the_most_frequent_error_is_said_in_words(page, folder, data):
    measured = fspinn.evaluate(fspinn.load(folder / "smallest.h5"), data.validation, seed=0)
    wrong = measured.confusion_matrix * (1 - np.eye(10, dtype=int))
    ((true, taken, most),) = re.findall(r"Most often (\d) is taken for (\d): (\d+) of \d+\.", page)
    assert wrong[int(true), int(taken)] == int(most) == wrong.max()


def test_the_command_that_was_typed_is_on_it(page, folder):
    (command,) = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    assert unescape(command) == f"fspinn {WORDS} -o '{folder}'"


def test_it_is_one_small_file_that_names_no_other(page):
    assert len(page.encode()) < 1_000_000
    addresses = re.findall(r'(?:src|href)="([^"]{0,20})', page)
    assert addresses
    assert all(address.startswith("data:image/svg+xml;") for address in addresses)
    assert not re.search(r"@import|url\(|fetch\(|https?:", page)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser chromium")
def test_a_browser_draws_it_shows_a_trial_and_asks_for_nothing(page, answer, tmp_path):
    # Even where the page might: the policy that forbids it is taken out.
    probe = """<script>
    document.querySelector(".mark.winner").dispatchEvent(new Event("pointerover", {bubbles: true}));
    addEventListener("load", () => {
        const asked = performance.getEntriesByType("resource").map(one => one.name);
        const pictures = [...document.images].map(image => image.naturalWidth > 100);
        document.body.dataset.asked = asked.filter(name => !name.startsWith("data:")).join(" ");
        document.body.dataset.drawn = pictures.join(" ");
    });</script></body>"""
    free = re.sub('<meta http-equiv="Content-Security-Policy".*?>', "", page)
    (tmp_path / "page.html").write_text(free.replace("</body>", probe))
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--dump-dom", (tmp_path / "page.html").as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    drawn = done.stdout
    assert 'data-asked=""' in drawn
    pictures = drawn.count("data:image/svg+xml")
    assert pictures == 2
    assert f'data-drawn="{" ".join(["true"] * pictures)}"' in drawn
    measured = sum(trial["accuracy"] is not None for trial in answer["trials"])
    assert len(re.findall(r'data-t="\d', drawn)) == 4 * len(answer["trials"]) + measured
    assert drawn.count('class="mark linear"') == len(LINEAR_BITS)
    assert drawn.count('class="mark ann"') == 2
    assert "<title>accuracy on validation images (%) against memory for inference" in drawn
    shown = drawn[drawn.index('<div id="tip"') :]
    assert f"<b>{answer['neurons']} neurons, {answer['weights']} weights" in shown
    assert f"<div>accuracy: {100 * answer['accuracy']:.1f} %</div>" in shown
    assert "<div>verdict: chosen</div>" in shown


def test_the_command_report_writes_the_same_page_again(page, folder):
    (folder / "report.html").unlink()
    told = run("report", folder, "--json")
    assert json.loads(told.stdout) == {"report": str(folder / "report.html")}
    assert (folder / "report.html").read_text() == page


def test_a_search_that_found_nothing_has_a_page_too(answer, tmp_path):
    page = write_report(without_winner(tmp_path / "lost", answer)).read_text()
    assert "<h1>No network reaches 60.0 %: all 6 candidates were tried</h1>" in page
    assert "Limits: energy 9 \u00b5J." in page
    assert "Ask for less, or allow larger networks (--sizes)." in page
    assert "The nearest is" in page
    assert page.count('<path class="mark') == 4 * len(answer["trials"])
    assert "Is a spiking layer worth its bytes?" not in page
    words = r"Without spikes, a .* with \d-bit weights is (not )?proven to reach .* It has \d\d\.\d % in"
    assert re.search(words, page)
    assert "the nearest network, " in page


def test_why_there_is_no_answer_is_told_apart(answer, tmp_path):
    for ending, words in (
        (
            "not proven",
            "<h1>A network reaches 60.0 %, but 300 validation images do not prove it with 97.5 % ",
        ),
        (
            "time over",
            "<h1>The time was over with 4 of 6 candidates not tried; so far a network reaches 60.0 %",
        ),
        ("unfinished", "<h1>The search could not finish</h1>"),
        ("impossible", "<h1>No network fits</h1>"),
    ):
        changes = {"ending": ending, "outcome": "not proven", "untried": 4, "validation_needed": 345}
        page = write_report(without_winner(tmp_path / ending, answer, **changes)).read_text()
        assert words in page
        advised = "With 345 validation images (--validation 345) it would do if it stays at" in page
        assert advised == (ending in ("not proven", "time over"))


def test_what_was_not_measured_is_not_said_to_be_ruled_out(answer, folder, tmp_path):
    for tried, words in (
        (
            0,
            "Nothing smaller was tried. Smaller and not measured: 3, of which 2 because the search",
        ),
        (1, "is proven to reach 60.0 % within the limits. Smaller and not measured: 3, of which 2 because"),
    ):
        own = tmp_path / str(tried)
        shutil.copytree(folder, own)
        certificate = {**answer["certificate"], "tried": tried, "untried": 3, "not_reached": 2}
        (own / "result.json").write_text(json.dumps({**answer, "certificate": certificate}))
        assert words in write_report(own).read_text()


def baseline(answer, bits, times, more, hidden=None, energy=1.0, samples=10_000):
    """Return a classifier so many times as large as the answer, this much more accurate than the target."""
    correct = round((answer["target_accuracy"] + more) * samples)
    memory = {"weights": int(times * answer["memory_bits"])}
    found = Baseline(hidden, bits, memory, ((correct, samples - correct), (0, 0)), 500.0, 640, energy, 1e-6)
    return found.as_dict(answer["confidence"])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        # (bits, memory as a part of the network's, accuracy less the target)
        (
            [(2, 0.1, -0.05), (3, 0.5, 0.25), (4, 0.8, 0.3)],
            "<b>Not here: a linear classifier with 3-bit weights is smaller.</b> It is proven to reach "
            "60.0 % too, with 85.0 %, and takes",
        ),
        (
            [(2, 0.1, -0.05), (4, 0.5, 0.25, 16), (3, 0.8, 0.3)],
            "<b>Not here: a quantized ANN of 16 ReLUs with 4-bit weights is smaller.</b> It is proven",
        ),
        (
            [(2, 0.1, -0.05), (3, 2.5, 0.25), (4, 3.0, 0.3)],
            "<b>Yes: the network is smaller than each linear classifier and quantized ANN that is as "
            "accurate.</b> The "
            "best of those that are proven to reach 60.0 % too is a linear classifier with 3-bit weights: "
            "85.0 % in",
        ),
        (
            [(2, 2.0, -0.2), (3, 3.0, -0.1), (4, 4.0, -0.1)],
            "<b>Yes: neither a linear classifier nor a quantized ANN is proven to reach "
            "60.0 %.</b> The most accurate is a linear classifier with 3-bit weights: 50.0 % in",
        ),
        (
            [(2, 2.0, -0.2), (4, 3.0, -0.1, 8), (4, 4.0, -0.15, 16)],
            "neither a linear classifier nor a quantized ANN of 8 to 16 ReLUs is proven to reach 60.0 %.",
        ),
        ([(2, 0.25, -0.2), (3, 0.5, -0.1)], "50 % of what the network takes."),
    ],
)
def test_it_says_which_is_smaller(folder, answer, tmp_path, rows, words):
    copy = tmp_path / "result"
    shutil.copytree(folder, copy)
    baselines = [baseline(answer, *row) for row in rows]
    (copy / "result.json").write_text(json.dumps({**answer, "baselines": baselines}))
    page = unescape(write_report(copy).read_text())
    assert words in page
    assert page.count("<tr class=best>") == 1
    assert page.count("-bit weights</th>") == len(rows)


def test_what_was_minimised_decides_whether_spikes_are_worth_it(answer):
    less, more = (baseline(answer, 3, 0.5, 0.2, energy=part * answer["energy_pj"]) for part in (0.5, 2))
    for name, rival, spiking, words in (
        ("memory", more, False, "is smaller. It is proven"),
        ("energy", less, False, "needs less energy. It is proven"),
        ("energy", more, True, "2 times as much as the network. The classifier needs"),
        ("synops", less, answer["operations"] < 500, "operations"),
        ("time_steps", less, False, "is smaller. It is proven"),  # a classifier has none
    ):
        found = worth({**answer, "minimize": [name], "baselines": [rival]})
        assert found.spiking is spiking
        assert words in found.words
        assert found.by == (name if name != "time_steps" else "memory")
    found = worth({**answer, "baselines": [more]})
    assert "more than the network's" in found.reason
    found = worth({**answer, "minimize": ["synops"], "baselines": [less]})
    assert f"{answer['operations']:,.0f} operations an image in all" in found.words  # its readout's too


def test_without_energy_of_a_classifier_memory_decides_and_it_says_so(answer):
    less, more = (baseline(answer, 3, times, 0.2, energy=None) for times in (0.5, 2))
    asked = {**answer, "minimize": ["energy"], "hardware": "loihi-like", "constraints": {}}
    found = worth({**asked, "baselines": [less]})
    assert (found.spiking, found.by) == (False, "memory")
    cannot = "energy cannot be compared on loihi-like; by memory,"
    assert found.claim == f"Not here: {cannot} a linear classifier with 3-bit weights is smaller."
    assert worth({**asked, "baselines": [more]}).claim.startswith(f"Yes: {cannot} the network is smaller")
    found = worth({**asked, "minimize": ["time_steps"], "baselines": [less]})
    assert found.claim.startswith("Not here: time steps cannot be compared; by memory, a linear")


def test_a_classifier_has_to_keep_to_the_limits(answer):
    limits = {**answer["constraints"], "memory": answer["memory_bits"]}
    baselines = [baseline(answer, 3, 2.0, 0.2), baseline(answer, 4, 2.0, 0.2, 8)]
    none = "o linear classifier and no quantized ANN of 8 ReLUs keeps to the limits"
    found = worth({**answer, "constraints": limits, "baselines": baselines})
    assert found == (True, "memory", None, f"Yes: n{none}.", "")
    found = worth({**answer, "found": False, "constraints": limits, "baselines": baselines})
    assert found.spiking is None
    assert found.words == f"N{none} either."


def test_a_classifier_beyond_the_limits_is_not_said_to_miss_the_target(answer):
    limits = {**answer["constraints"], "memory": answer["memory_bits"]}
    baselines = [baseline(answer, 3, 0.5, -0.2), baseline(answer, 4, 2.0, 0.2, 8)]
    found = worth({**answer, "constraints": limits, "baselines": baselines})
    beyond = "quantized ANN of 8 ReLUs that keeps to the limits is proven to reach 60.0%."
    assert found.claim == f"Yes: neither a linear classifier nor a {beyond}"


@pytest.mark.parametrize(("limit", "least"), [("synops", 500), ("flash", 1000), ("ram", 320)])
def test_a_classifier_has_operations_flash_and_ram(answer, limit, least):
    one = {**baseline(answer, 3, 1.0, 0.2), "memory": {"weights": 1000, "accumulators": 320}}
    one["memory_bits"] = 1320
    for most, keeps in ((least, True), (least - 1, False)):
        limits = {**answer["constraints"], limit: most}
        found = worth({**answer, "constraints": limits, "baselines": [one]})
        assert (found.rival is not None) is keeps


def test_a_classifier_whose_energy_is_not_known_does_not_keep_to_a_limit_of_it(answer):
    limits = {**answer["constraints"], "energy": 1e9}
    one = baseline(answer, 3, 0.5, 0.2, energy=None)
    found = worth({**answer, "constraints": limits, "baselines": [one]})
    assert found.rival is None
    assert "is known to keep to the limits" in found.claim
    assert found.reason == f"What they need of energy on {answer['hardware']} is not known."


def test_without_classifiers_nothing_is_said_of_spikes(answer):
    found = worth({**answer, "baselines": []})
    assert (found.spiking, found.rival) == (None, None)
    assert found.words == "Not known: no classifier without spikes could be fitted."


def test_without_an_answer_it_says_what_can_be_done_without_spikes(answer):
    lost = {**answer, "found": False}
    found = worth({**lost, "baselines": [baseline(answer, 3, 2.0, 0.2)]})
    assert found.claim == "Without spikes, a linear classifier with 3-bit weights is proven to reach 60.0%."
    found = worth({**lost, "baselines": [baseline(answer, 3, 2.0, -0.2)]})
    assert "is not proven to reach 60.0% either. It has 40.0% in" in found.words


def test_the_answer_says_it_as_well(answer, folder):
    assert answer["worth_it"]["words"] == worth(answer).words
    assert answer["worth_it"]["spiking"] in (True, False)
    assert answer["worth_it"]["by"] == "memory"
    kinds = [one["hidden"] for one in answer["baselines"]]
    assert kinds == [None] * len(LINEAR_BITS) + [8, 8]  # which are enough
    assert all(0 < one["macs"] < one["dense_macs"] for one in answer["baselines"])
    assert all(one["energy_pj"] > 0 and one["latency_s"] > 0 for one in answer["baselines"])


def test_operations_of_a_picture_count_the_readout_of_a_network(answer):
    picture = charts.any_two(answer)
    names = [axis["name"] for axis in picture["axes"]]
    place = next(k for k, name in enumerate(names) if name.startswith("operations of an image, readout"))
    assert not any(name.startswith("MACs") for name in names)
    by_kind = {point["kind"]: point["values"][place] for point in picture["points"]}
    assert by_kind["winner"] == pytest.approx(answer["operations"], rel=1e-3)
    assert by_kind["winner"] > answer["synaptic_operations"]
    assert by_kind["linear"] == pytest.approx(answer["baselines"][6]["macs"], rel=1e-3)


def test_the_best_one_is_the_smallest_that_meets_the_target_or_the_most_accurate(answer):
    shares = {2: 0.80, 3: 0.93, 4: 0.95, 5: 0.95}
    fitted = [baseline(answer, bits, bits, share - 0.6) for bits, share in shares.items()]
    for target, bits in ((0.7, 2), (0.9, 3), (0.94, 4), (0.99, 4)):
        assert best_of(fitted, target)["weight_bits"] == bits
    few = [baseline(answer, bits, bits, share - 0.6, samples=100) for bits, share in shares.items()]
    assert best_of(few, 0.94)["weight_bits"] == 4
    assert best_of([], 0.9) is None


@pytest.fixture(scope="module")
def column_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a search") / "columns"
    asked = "search --validation 300 --samples 400 --accuracy 0.5 --sizes 6 --weights UQ0.3 --seeds 1 "
    asked += "--readouts linear --set field=3 --set cells=2"
    assert run(*asked.split(), "-o", folder).exit_code == 0
    return folder


def test_the_page_of_a_column_shows_places_of_spikes_and_the_readout(column_folder):
    page = (column_folder / "report.html").read_text()
    names = re.findall(r'<img alt="(.*?)" src="data:image/svg', page)
    assert names == ["Receptive fields", "Places of spikes", "Readout", "Confusion matrix"]
    assert "What neurons look for." in page
    assert len(page.encode()) < 1_000_000


def test_without_an_answer_a_classifier_has_to_keep_to_the_limit(answer, tmp_path):
    limits = {**answer["constraints"], "memory": 800.0}
    page = write_report(without_winner(tmp_path / "lost", answer, constraints=limits)).read_text()
    assert "No linear classifier and no quantized ANN of 8 ReLUs keeps to the limits either." in page


def test_nothing_measured_is_no_reason_to_fail(answer, tmp_path):
    bare = {"accuracy": None, "accuracy_interval": None, "accuracies": {}}
    trials = [{**trial, **bare, "verdict": "too large"} for trial in answer["trials"]]
    lost = without_winner(tmp_path / "lost", answer, **bare, trials=trials, front=[], verdict="impossible")
    assert "0 of 6 trials were measured" in write_report(lost).read_text()


def test_hardware_that_knows_no_time_has_no_chart_of_it(answer, tmp_path):
    trials = [{**trial, "latency_s": None} for trial in answer["trials"]]
    page = write_report(without_winner(tmp_path / "lost", answer, trials=trials)).read_text()
    assert len(re.findall(r"<svg[^>]*><title>", page)) == 3


def drawn_networks(count, accuracy_of):
    settings = [
        {"threshold": 0.5 + k / count, "passes": 1 + k % 4, "rule": "ab"[k % 2]} for k in range(count)
    ]
    return {"trials": [{"neurons": 10, "settings": one, "accuracy": accuracy_of(one)} for one in settings]}


def test_the_setting_that_decides_is_the_important_one():
    shares = importances(drawn_networks(60, lambda one: 0.5 + 0.1 * (one["passes"] > 2)))
    assert next(iter(shares)) == "passes"
    assert shares["passes"] > 0.8
    assert shares.keys() == {"passes", "threshold", "rule"}  # and not what is the same for all
    assert sum(shares.values()) == pytest.approx(1)
    by_word = importances(drawn_networks(60, lambda one: 0.6 if one["rule"] == "a" else 0.3))
    assert next(iter(by_word)) == "rule"


def test_of_few_or_equal_networks_no_setting_is_important():
    assert importances(drawn_networks(9, lambda one: one["threshold"] / 2)) == {}
    assert importances(drawn_networks(30, lambda one: 0.5)) == {}
    assert importances(drawn_networks(30, lambda one: None)) == {}


def test_names_are_text_and_no_markup(answer, data, tmp_path):
    dataset = {**answer["dataset"], "name": "<script>alert(1)</script>"}
    page = write_report(without_winner(tmp_path / "lost", answer, dataset=dataset), data).read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_a_folder_without_a_result_is_refused(answer, tmp_path):
    with pytest.raises(DataError, match=r"result.json: cannot be read \(No such file or directory\); name"):
        write_report(tmp_path)
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(DataError, match="not the result of a search; search again"):
        write_report(tmp_path)
    for missing in ("front", "outcome"):  # the first version had no outcomes
        (tmp_path / "result.json").write_text(json.dumps({k: answer[k] for k in answer if k != missing}))
        with pytest.raises(DataError, match=f"lacks '{missing}', another version wrote it; search again"):
            write_report(tmp_path)


def test_a_page_that_cannot_be_written_is_one_line(answer, tmp_path):
    folder = without_winner(tmp_path / "lost", answer)
    (folder / "report.html").mkdir()
    with pytest.raises(
        DataError, match=r"report.html: cannot be written \(Is a directory\); free some space"
    ):
        write_report(folder)


# --- its charts ---------------------------------------------------------------------------------------

MEASURED = st.tuples(st.floats(1.0, 1e7), st.one_of(st.none(), st.floats(0.0, 1.0)))


@given(st.lists(MEASURED, min_size=1, max_size=30))
def test_marks_lie_inside_and_dearer_is_to_the_right_and_better_is_above(points):
    trials = [
        {
            **dict.fromkeys((axis.field for axis in charts.AXES), cost),
            "accuracy": share,
            "accuracy_interval": None if share is None else (share, share),
            "outcome": "below",
            "verdict": "beaten",
            "settings": {},
        }
        for cost, share in points
    ]
    answer = {
        "trials": trials,
        "front": [],
        "target_accuracy": 0.5,
        "constraints": dict.fromkeys(("memory", "energy", "latency")),
    }
    for chart in charts.charts(answer):
        at = {mark.number: mark for mark in chart.marks}
        assert len(chart.x_ticks) >= 1
        assert len(chart.y_ticks) >= 2
        for k, (cost, share) in enumerate(points):
            assert charts.LEFT <= at[k].x <= charts.WIDTH - charts.RIGHT
            assert charts.TOP <= at[k].y <= charts.HEIGHT - charts.BOTTOM
            for j, (other_cost, other_share) in enumerate(points):
                if cost < other_cost:
                    assert at[k].x <= at[j].x
                if share is not None and other_share is not None and share < other_share:
                    assert at[k].y >= at[j].y


def test_of_too_many_trials_those_that_were_measured_stay(answer):
    measured = [trial for trial in answer["trials"] if trial["accuracy"] is not None]
    others = [{**trial, "accuracy": None} for trial in measured[:1]] * (charts.MOST_UNMEASURED + 50)
    shown = charts.shown_trials([*others, *measured])
    assert len(shown) == charts.MOST_UNMEASURED + len(measured)
    assert set(range(len(others), len(others) + len(measured))) <= set(shown)


# --- what the winner is compared with -----------------------------------------------------------------


def test_what_of_the_time_follows_the_spikes_stands_apart(page, answer, folder):
    parts = _latency(fspinn.load(folder / "smallest.h5"), answer["hardware"])
    assert parts.intercept_s + parts.spikes_s == pytest.approx(answer["latency_s"])
    assert 0 < parts.intercept_s < answer["latency_s"]
    assert " without a spike, " in page
    assert _latency(fspinn.load(folder / "smallest.h5"), "loihi-like") is None


def test_costs_are_those_of_the_cost_model_and_add_up(answer, folder):
    model = fspinn.load(folder / "smallest.h5")
    winner, free, published = compared(answer, model)
    assert winner.memory_bits == answer["memory_bits"]
    assert winner.energy_pj == answer["energy_pj"]
    (same,) = (
        trial
        for trial in answer["trials"]
        if (trial["neurons"], trial["weights"]) == (answer["neurons"], "float32")
    )
    assert free.memory_bits == same["memory_bits"]
    assert free.accuracy == same["accuracy"]
    assert published.memory_bits / 8e6 == pytest.approx(3.9, abs=0.05)
    for one in (winner, free, published):
        for parts, total in ((one.memory_parts, one.memory_bits), (one.energy_parts, one.energy_pj)):
            assert sum(part.value for part in parts) == total
            assert sum(part.share for part in parts) == pytest.approx(1)
