"""What people print is one line; a notebook shows tables and pictures; rows become frames."""

import csv
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from quick_searches import few_digits, quick
from recorded import drawn

import fspinn
from fspinn.answering.compress import lower
from fspinn.datasets import Dataset, Split
from fspinn.memmodel import Size, estimate, load_hardware
from fspinn.memmodel.area import Needed
from fspinn.model.tensors import Tensor
from fspinn.network import OnOff, Stdp
from fspinn.search import save_result
from fspinn.search.candidates import Variant
from fspinn.search.formats import FormatSearch
from fspinn.search.swept import save_sweep

COLUMN = fspinn.Network.patches(neurons=4, field=3, cells=2)
ONCE = Stdp(passes=1)


@pytest.fixture(scope="module")
def data():
    return few_digits()


@pytest.fixture(scope="module")
def result(data):
    return fspinn.train(COLUMN, data, learner=ONCE, readout="linear", progress=False)


@pytest.fixture(scope="module")
def search(data):
    return quick(data, sizes=(10,), accuracy=0.5)


@pytest.fixture(scope="module")
def sweep(data):
    return fspinn.sweep(COLUMN, data, {"threshold": [1.5]}, learner=ONCE, progress=False)


@pytest.fixture(scope="module")
def tuning(data):
    return fspinn.tune(COLUMN, data, learner=ONCE, trials=3, progress=False)


# --- one line -----------------------------------------------------------------------------------------


def test_data_are_a_line(data):
    assert (
        repr(data) == "<Dataset: digits, 400 training, 300 validation, 359 test images of 8 x 8, 10 classes>"
    )
    assert repr(data.test) == "<Split: 359 images of 8 x 8, 10 classes>"
    assert repr(Split(data.test.images, data.test.labels)) == "<Split: 359 images of 8 x 8>"
    signals = Dataset.from_arrays(np.eye(60, 20), np.arange(60) % 2, shape=(1, 20))
    assert str(signals) == "arrays in memory, 40 training, 8 validation, 12 test signals of 20, 2 classes"
    recordings = drawn(3)
    events = len(recordings.t_us)
    assert re.fullmatch(rf"<Recordings: 3 of \d+ x \d+ pixels, {events:,} events>", repr(recordings))
    assert str(Split(recordings, np.zeros(3, np.int64))).startswith("3 recordings of ")


def test_networks_are_a_line():
    assert repr(fspinn.Network.dense(1)) == "<Network: 1 neuron; poisson input, 350 steps of 1 ms>"
    assert repr(COLUMN) == (
        "<Network: 4 neurons with a field of 3 x 3, 2 x 2 cells; ttfs input, 8 steps of 1 ms>"
    )
    stack = replace(COLUMN, layers=(COLUMN.layers[0], fspinn.Layer.prototypes(96)), contrast=OnOff())
    assert str(stack) == (
        "4 neurons with a field of 3 x 3, 2 x 2 cells, then 96; on-off ttfs input, 8 steps of 1 ms"
    )


def test_models_are_a_line(result, data):
    said = str(COLUMN)
    known = replace(result.model, record={**result.model.record, "validation_accuracy": 0.8125})
    words = f"{said}; float32 weights, linear readout of 10 classes; 81.25 % on validation"
    assert repr(known) == f"<Model: {words}>"
    assert repr(replace(result, model=known)) == f"<TrainingResult: {words}>"
    small = fspinn.quantize(result, "UQ0.3")
    assert repr(small) == f"<Model: {said}; UQ0.3 weights, linear readout of 10 classes>"
    assert repr(small.layer) == "<LayerTensors: weights, 9 x 4 numbers in UQ0.3; theta, 4 numbers in float32>"
    assert repr(small.readout) == "<Readout: linear, 16 x 10 numbers in Q1.7>"
    assert repr(Tensor(np.zeros(3, np.float32))) == "<Tensor: 3 numbers in float32>"
    assert repr(lower(result, None, weights="UQ0.3")) == repr(small).replace("Model", "Lowered")


def test_answers_are_a_line(result, data):
    answer = fspinn.predict(result, data.test.images[:3])
    words = r"<Prediction: 3 of 3 samples answered with one of 10 classes, \d+\.\d spikes a sample>"
    assert re.fullmatch(words, repr(answer))
    none = replace(answer, classes=np.array([-1, 2, -1]), spike_counts=np.zeros((3, 16), np.int32))
    assert str(none) == "1 of 3 samples answered with one of 10 classes, 0.0 spikes a sample"
    measured = replace(fspinn.evaluate(result, data.test), accuracy=0.875, spikes_per_sample=21.44)
    assert repr(measured) == (
        "<Evaluation: accuracy 87.50 % of 359 samples, linear readout, 21.4 spikes a sample>"
    )
    rejected = replace(measured, reject=0.1, predictions=np.where(np.arange(359) < 300, 1, -1))
    assert str(rejected).startswith("accuracy 87.50 % that are answered, 83.6 % of 359 samples, linear")


def test_costs_are_a_line(result):
    line = r"<Estimate: 8\d\d B, [\d.]+ [nu]J, [\d.]+ ms for an inference on mcu-avr>"
    assert re.fullmatch(line, repr(estimate(result, "mcu-avr")))
    cost = estimate(result, "mcu-avr")
    full = replace(cost, capacity={"inference": {"flash_bytes": Needed(9, 8)}})
    assert str(full) == f"{cost}; does not fit"
    assert str(estimate(Size.of(result), "asic65-lp", result.model.activity)) == str(estimate(result))
    assert repr(load_hardware("asic65-lp")).startswith("<Hardware: asic65-lp, ")


def test_searches_are_a_line(search, sweep, tuning, result, data):
    winner = re.escape(str(search.winner.candidate))
    assert re.fullmatch(
        rf"<SearchResult: {winner}, \d+ B, \d\d\.\d % on validation; \d+ candidates>", repr(search)
    )
    assert repr(search.winner) == f"<Trial: {search.winner.candidate}: chosen>"
    nothing = quick(data, sizes=(10,), accuracy=0.5, memory=1.0)
    assert re.fullmatch(r"impossible, the nearest is 10 neurons, .*, \d+ B; \d+ candidates", str(nothing))
    assert repr(sweep) == "<SweepResult: 2 points (1 threshold) on digits and fpga-kintex7-event>"
    words = (
        r"<TuningResult: 4 neurons, \d\d\.\d\d % on validation, as given \d\d\.\d\d %; field \(3, 3\), .*>"
    )
    assert re.fullmatch(words, repr(tuning))
    found = FormatSearch(Variant("UQ0.3"), (), search.winner)
    assert repr(found) == "<FormatSearch: UQ0.3 weights, proportion readout; 0 trials>"


# --- notebooks ----------------------------------------------------------------------------------------


def test_notebooks_show_tables_and_pictures(data, result, search, sweep, tuning):
    measured = fspinn.evaluate(result, data.test)
    for shown, words, pictures in (
        (data, "<td>9</td><td>38</td><td>30</td><td>32</td>", 0),
        (data.test, "<th>samples</th>", 0),
        (COLUMN, "<td>4 neurons with a field of 3 x 3, 2 x 2 cells</td><td>1</td><td>2</td>", 0),
        (result, "<td>mechanisms</td><td>normalised learning, first inhibition", 1),
        (result.model, "<td>mechanisms</td>", 1),
        (measured, "<th>recall</th><th>precision</th>", 1),
        (estimate(result, "mcu-avr"), "<th>memory</th><th>inference</th><th>training</th>", 0),
        (search, "(the answer)</td>", 1),
        (sweep, "<th>Pareto front</th>", 0),
        (tuning, "<td>field</td><td>[3, 3]</td>", 0),
    ):
        html = re.sub(r' style="[^"]*"', "", shown._repr_html_())
        assert f"<b>{type(shown).__name__}</b>: {str(shown).split(';')[0]}" in html
        assert words in html
        assert html.count('<img alt="') == html.count('src="data:image/svg+xml;base64,') == pictures


def test_names_are_no_html_of_their_own():
    images = np.zeros((10, 2, 2), np.uint8)
    data = Dataset.from_arrays(images, ["<b>one", "two&"] * 5, validation=0)
    assert "<td>&lt;b&gt;one</td>" in re.sub(r' style="[^"]*"', "", data._repr_html_())


def test_long_tables_are_cut():
    images = np.zeros((60, 2, 2), np.uint8)
    data = Dataset.from_arrays(images, np.arange(60) % 30, test=(images, np.arange(60) % 30), validation=0)
    html = re.sub(r' style="[^"]*"', "", data._repr_html_())
    assert "<td>19</td>" in html
    assert "<td>20</td>" not in html
    assert "<td>and 10 more</td>" in html


def test_printing_imports_no_pictures():
    code = (
        "import sys, fspinn; print(fspinn.Network.patches()); "
        "print('matplotlib' in sys.modules, 'fspinn.report' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "False False"


# --- frames -------------------------------------------------------------------------------------------


def _written(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _as_written(rows):
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def test_without_pandas_a_frame_is_the_rows_of_the_csv_file(search, sweep, tuning, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    save_result(search, tmp_path / "search")
    assert _as_written(search.to_frame()) == _written(tmp_path / "search" / "candidates.csv")
    save_sweep(sweep, tmp_path / "sweep")
    assert _as_written(sweep.to_frame()) == _written(tmp_path / "sweep" / "sweep.csv")
    row = tuning.to_frame()[0]
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert "field=(3, 3)" in row["settings"]


def test_with_pandas_it_is_a_data_frame(search, sweep, tuning):
    pandas = pytest.importorskip("pandas")
    for shown, rows in ((search, search.trials), (sweep, sweep.points), (tuning, tuning.trials)):
        frame = shown.to_frame()
        assert isinstance(frame, pandas.DataFrame)
        assert frame["accuracy"].tolist() == [row.accuracy for row in rows]
