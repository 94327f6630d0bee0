"""The search keeps to what the hardware has: flash and RAM of a controller, memories of other devices."""

import csv
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from described import dense, stdp

from fspinn.base.errors import ConfigError
from fspinn.cli import main
from fspinn.datasets import load
from fspinn.memmodel import estimate
from fspinn.memmodel.names import PRESETS
from fspinn.network import StdpLabels
from fspinn.search import Constraints, Cost, find_smallest, save_result
from fspinn.search.constraints import flash_and_ram, nearest_possible
from fspinn.search.endings import Ending
from fspinn.search.result import describe
from fspinn.search.trial import Outcome

NETWORK = dense(duration_ms=60, threshold=8, rate_norm_hz=900)
SMALL = {
    "network": NETWORK,
    "accuracy": 0.6,
    "sizes": (10, 25, 60),
    "weights": ("UQ0.3", "UQ0.6"),
    "readouts": ("majority", "proportion"),
    "learner": stdp(passes=1),
    "seeds": 1,
}
TYPED = (
    "search --validation 300 --samples 400 --accuracy 0.6 --sizes 10,25,60 --weights UQ0.3,UQ0.6 "
    "--readouts majority,proportion --passes 1 --seeds 1 --set duration_ms=60 "
    "--set threshold=8 --set rate_norm_hz=900"
)


@pytest.fixture(scope="module")
def data():
    digits = load("digits", validation=300)
    return replace(digits, train=digits.train.first(400))


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A microcontroller with so much flash and RAM, as a file."""

    def board(flash_bytes, ram_bytes=8192):
        text = (PRESETS / "mcu-m4f.toml").read_text()
        text = text.replace("flash_bytes = 524288", f"flash_bytes = {flash_bytes}")
        text = text.replace("ram_bytes = 131072", f"ram_bytes = {ram_bytes}")
        path = tmp_path_factory.mktemp("board") / "board.toml"
        path.write_text(text)
        return str(path)

    return board


@pytest.fixture(scope="module")
def roomy(data, board):
    return find_smallest(data, hardware=board(16384), **SMALL)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_flash_and_ram_are_those_that_estimate_says(roomy):
    assert roomy.found
    capacity = estimate(roomy.model, roomy.hardware).capacity["inference"]
    assert roomy.winner.cost.flash_bits == 8 * capacity["flash_bytes"].needed
    assert roomy.winner.cost.ram_bits == 8 * capacity["ram_bytes"].needed


def test_what_the_hardware_has_is_the_limit_and_is_shown(roomy, tmp_path):
    assert (roomy.constraints.flash, roomy.constraints.ram) == (8 * 16384, 8 * 8192)
    cost = roomy.winner.cost
    words = f"flash {cost.flash_bits / 8192:.3g} KiB of 16 KiB, RAM {cost.ram_bits / 8:.0f} B of 8 KiB"
    assert f"  device    {words} on {roomy.hardware}\n" in describe(roomy)
    written = save_result(roomy, tmp_path)
    answer = json.loads(written["result"].read_text())
    assert (answer["flash_bits"], answer["ram_bits"]) == (cost.flash_bits, cost.ram_bits)
    assert (answer["constraints"]["flash"], answer["constraints"]["ram"]) == (8 * 16384, 8 * 8192)
    with open(written["candidates"], newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["flash_bits"]) for row in rows] == [trial.cost.flash_bits for trial in roomy.trials]
    assert [int(row["ram_bits"]) for row in rows] == [trial.cost.ram_bits for trial in roomy.trials]


@pytest.mark.parametrize("lacking", ["flash", "ram"])
def test_a_network_that_does_not_fit_is_not_the_answer(data, board, roomy, lacking):
    sizes = {"flash": 16384, "ram": 8192}
    sizes[lacking] = getattr(roomy.winner.cost, f"{lacking}_bits") // 8 - 1
    tight = board(sizes["flash"], sizes["ram"])
    assert not estimate(roomy.model, tight).fits("inference")
    result = find_smallest(data, hardware=tight, **SMALL)
    (rejected,) = (trial for trial in result.trials if trial.candidate == roomy.winner.candidate)
    assert "more than the budget" in rejected.verdict
    if result.found:
        assert estimate(result.model, tight).fits("inference")
    else:
        assert result.ending in (Ending.IMPOSSIBLE, Ending.NONE_REACHES, Ending.NOT_PROVEN)


def test_what_pruning_leaves_is_checked_when_it_is_known(data, board, roomy):
    chosen = roomy.winner.candidate
    tight = board(roomy.winner.cost.flash_bits // 8 - 1)
    alone = {"sizes": (chosen.neurons,), "weights": (chosen.weights,), "readouts": (chosen.readout,)}
    result = find_smallest(data, hardware=tight, **(SMALL | alone))
    (trial,) = result.trials
    assert trial.accuracy >= 0.6
    assert trial.outcome is Outcome.OVER_LIMIT
    assert trial.verdict.endswith(" of flash, more than the budget")
    assert describe(result).startswith("No network that fits reaches 60.0%: all 1 candidates were tried.")


def test_where_none_fits_nothing_is_trained_and_the_least_is_named(data, board):
    result = find_smallest(data, hardware=board(1890), on_trials=lambda _: 1 / 0, **SMALL)
    assert result.ending is Ending.IMPOSSIBLE
    least = min(trial.cost.flash_bits for trial in result.trials) / 8192
    assert result.impossible == (
        f"flash: 1.85 KiB is impossible; no network takes less than {least:.3g} KiB of flash"
    )
    result = find_smallest(data, hardware=board(16384, 300), on_trials=lambda _: 1 / 0, **SMALL)
    assert result.impossible.startswith("ram: 300 B is impossible; no network takes less than ")
    assert result.impossible.endswith(" of RAM")


def test_limits_may_be_tighter_than_the_hardware(data, roomy):
    limit = roomy.winner.cost.flash_bits // 8 - 1
    result = find_smallest(data, hardware=roomy.hardware, flash=limit, ram="7 KiB", **SMALL)
    assert (result.constraints.flash, result.constraints.ram) == (8 * limit, 8 * 7168)
    assert result.winner is None or result.winner.cost.flash_bits <= 8 * limit


def test_expected_flash_and_ram_reject_nothing_that_fits(data, roomy):
    measured = {trial.candidate: trial.cost for trial in roomy.trials if trial.accuracy is not None}
    least = find_smallest(data, hardware=roomy.hardware, ram="1 B", on_trials=lambda _: 1 / 0, **SMALL)
    expected = {trial.candidate: trial.cost for trial in least.trials}
    for candidate, cost in measured.items():
        assert expected[candidate].flash_bits <= cost.flash_bits
        assert expected[candidate].ram_bits <= cost.ram_bits


@pytest.mark.parametrize("measure", ["flash", "ram"])
def test_flash_and_ram_can_be_what_should_be_little(data, roomy, measure):
    result = find_smallest(data, hardware=roomy.hardware, minimize=[measure, "memory"], **SMALL)
    meets = [trial for trial in result.trials if trial.verdict.startswith(("meets", "chosen"))]
    taken = [getattr(trial.cost, f"{measure}_bits") for trial in meets]
    assert getattr(result.winner.cost, f"{measure}_bits") == min(taken)


def test_what_a_device_lacks_is_refused(data, roomy):
    for expected, settings in (
        (r"^flash: asic65-lp says nothing of it; choose other hardware, or leave it out$", {"flash": "9KiB"}),
        (r"^ram: asic65-lp says nothing of it", {"minimize": "ram"}),
        (
            r"^training_memory: fpga-kintex7-event has no circuits that learn; choose other",
            {"training_memory": "9KiB", "hardware": "fpga-kintex7-event"},
        ),
        (
            r"^training_memory: stdp\+labels learns on a host, from labels; leave it out, or learn by stdp$",
            {"minimize": "training_memory", "learner": StdpLabels()},
        ),
        (
            r"^flash: mcu-m4f has 16 KiB, less than 17 KiB; ask for no more, or choose other hardware$",
            {"flash": "17KiB", "hardware": roomy.hardware},
        ),
        (r"^ram: '9' has no unit", {"ram": "9", "hardware": roomy.hardware}),
    ):
        with pytest.raises(ConfigError, match=expected):
            find_smallest(data, **settings)


def test_hardware_without_flash_and_ram_shows_nothing_of_them(data):
    result = find_smallest(data, **SMALL)
    assert (result.constraints.flash, result.constraints.ram) == (None, None)
    assert (result.winner.cost.flash_bits, result.winner.cost.ram_bits) == (None, None)
    assert "device" not in describe(result)


def test_amounts_below_a_kibibyte_are_bytes():
    answer = {
        "flash_bits": 8 * 2867,
        "ram_bits": 8 * 700,
        "constraints": {"flash": 8 * 16384, "ram": 8 * 800},
    }
    assert flash_and_ram(answer) == "flash 2.8 KiB of 16 KiB, RAM 700 B of 800 B"


# --- memories of other devices ------------------------------------------------------------------------


def test_a_network_beyond_the_memories_of_a_chip_is_not_the_answer(data, tmp_path):
    text = (PRESETS / "asic28-odin.toml").read_text()
    assert "capacity_bits = 262144" in text
    path = tmp_path / "small.toml"
    path.write_text(text.replace("capacity_bits = 262144", "capacity_bits = 4096"))
    result = find_smallest(data, hardware=str(path), **SMALL)
    beyond = [trial for trial in result.trials if "does not fit on the hardware: weights" in trial.verdict]
    assert beyond
    assert result.winner not in beyond
    assert result.winner is None or estimate(result.model, str(path)).fits("inference")
    path.write_text(text.replace("capacity_bits = 262144", "capacity_bits = 64"))
    result = find_smallest(data, hardware=str(path), on_trials=lambda _: 1 / 0, **SMALL)
    assert result.impossible.startswith("hardware: no network fits; the smallest needs weights ")
    assert result.impossible.endswith(" of 64 bits")


def test_the_nearest_possible_value_is_that_of_a_network_that_fits():
    small = Cost(8192, 8192, 1.0, 1.0, 1.0, 1.0, 1.0, 8, 800, over_capacity="weights 9 of 8 bits")
    large = Cost(16384, 16384, 1.0, 1.0, 1.0, 1.0, 1.0, 8, 800)
    words = nearest_possible(Constraints(0.9, memory=8192), [small, large])
    assert words == "memory: 1 KiB is impossible; no network takes less than 2 KiB"


# --- as a user types it -------------------------------------------------------------------------------


def test_the_command_takes_limits_and_its_page_shows_what_is_taken(board, tmp_path):
    words = [*TYPED.split(), "--hardware", board(16384), "--minimize", "flash", "--ram", "4KiB"]
    result = run(*words, "--json", "-o", tmp_path / "result")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    taken = flash_and_ram(answer)
    flash, ram = taken.split(", ")
    assert flash.endswith(" of 16 KiB")
    assert ram.endswith(" of 4 KiB")
    page = (tmp_path / "result" / "report.html").read_text()
    assert f"<b>{flash}</b><small>{ram}</small>" in page
    assert "It keeps to all limits: flash 16 KiB, RAM 4 KiB." in page


def test_a_command_that_finds_no_network_that_fits_says_so(board, tmp_path):
    result = run(*TYPED.split(), "--hardware", board(1890), "-o", tmp_path / "result")
    assert result.exit_code == 1, result.output
    assert result.stdout.startswith("No network fits: flash: 1.85 KiB is impossible; ")
    page = (tmp_path / "result" / "report.html").read_text()
    assert " of 1.85 KiB, RAM " in page


def test_flash_of_hardware_that_has_none_is_one_line(tmp_path):
    result = run(*TYPED.split(), "--flash", "16KiB", "-o", tmp_path / "result")
    assert result.exit_code == 2
    assert result.stderr == (
        "fspinn: flash: asic65-lp says nothing of it; choose other hardware, or leave it out\n"
    )
