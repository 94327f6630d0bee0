"""fspinn estimate and fspinn hardware, as a user types them."""

import json
import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from described import dense, model_from

from fspinn.cli import main
from fspinn.lowering import quantize
from fspinn.memmodel import estimate, hardware_names, neurobench
from fspinn.memmodel.names import PRESETS
from fspinn.model import store
from fspinn.model.activity import Activity
from fspinn.model.model import Readout

RNG = np.random.default_rng(0)


def model_with(activity, neurons=6):
    return model_from(
        network=dense(neurons=neurons, weight_norm=1.0),
        image_shape=(4, 4),
        weights=RNG.random((16, neurons), dtype=np.float32),
        theta=np.zeros(neurons, dtype=np.float32),
        readout=Readout("proportion", RNG.dirichlet(np.ones(3), neurons).astype(np.float32)),
        activity={name: (counts,) for name, counts in activity.items()},
    )


@pytest.fixture
def model():
    counts = {"samples": 10, "steps": 3500, "input_spikes": 20_000, "output_spikes": 200}
    inference = Activity(**counts, synaptic_additions=120_000, neuron_updates=21_000, rows_read=20_000)
    learned = Activity(columns_written=10, threshold_passes=10, windows=10)
    return model_with({"inference": inference, "training": inference + learned})


@pytest.fixture
def path(model, tmp_path):
    store.save(model, tmp_path / "net.h5")
    return tmp_path / "net.h5"


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def refused(*arguments):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize("hardware", hardware_names())
def test_json_is_the_estimate_and_adds_up(model, path, hardware):
    answer = json.loads(run("estimate", path, "--hardware", hardware, "--json").stdout)
    expected = {**estimate(model, hardware).as_dict(), "neurobench": neurobench(model).as_dict()}
    assert answer == {"model": str(path), **json.loads(json.dumps(expected))}
    for quantity in ("memory_bits", "energy_pj", "latency_cycles"):
        for phase in ("inference", "training"):
            parts = answer[quantity][phase] or {"total": 0}  # the pipeline does not learn
            assert parts.pop("total") == sum(parts.values())


def test_the_table_names_every_component_and_the_band(path):
    result = run("estimate", path, "--details")
    assert result.exit_code == 0, result.output
    for words in (
        "net.h5 on asic65-lp: 65 nm low-power chip",
        "memory",
        "energy per image",
        "cycles per image",
        "area",
        "images/s per W",
        "a synaptic operation",
    ):
        assert words in result.output
    for component in (
        "weights",
        "thresholds",
        "inhibition",
        "window",
        "readout",
        "learning",
        "leakage",
        "total",
    ):
        assert f"  {component} " in result.output
    assert "0.5 to 2 times the estimate" in result.output
    assert "before quantization" not in result.stderr


def test_six_lines_say_what_a_controller_has_to_hold(model, path):
    capacity = estimate(model, "mcu-m4f").capacity["inference"]
    seconds = estimate(model, "mcu-m4f").latency_s("inference")
    lines = run("estimate", path, "--hardware", "mcu-m4f").stdout.splitlines()
    assert [line[:12].strip() for line in lines] == ["fits", "flash", "RAM", "latency", "energy", "goes to"]
    assert lines[0].endswith(
        "yes, on mcu-m4f: Cortex-M4F microcontroller, 180 MHz, 512 KiB flash, 128 KiB RAM"
    )
    assert lines[1].endswith(f" {capacity['flash_bytes'].needed / 1024:.3g} KiB of 512 KiB (under 1%)")
    assert lines[2].endswith(f" {capacity['ram_bytes'].needed} B of 128 KiB (under 1%)")
    assert f" {seconds * 1e3:.3g} ms an image, expected " in lines[3]
    assert re.search(r" \S+ [mu]J an image, expected \S+ [mu]J to \S+ [mu]J \(uncalibrated\)$", lines[4])
    assert re.search(r" memory: weights \d+%, .*; energy: (state|weights) \d+%, ", lines[5])


@pytest.mark.parametrize(
    ("hardware", "first", "names"),
    [
        ("asic65-lp", "without limit on asic65-lp: 65 nm", ["memory", "area"]),
        ("asic28-odin", "yes, on asic28-odin: ODIN", ["weights", "state"]),
        ("fpga-ice40up5k", "yes, on fpga-ice40up5k: iCE40", ["state", "logic cells"]),
        ("loihi-like", "without limit on loihi-like: Loihi", ["memory"]),
    ],
)
def test_other_hardware_has_other_limits_or_none(path, hardware, first, names):
    lines = run("estimate", path, "--hardware", hardware).stdout.splitlines()
    assert lines[0].startswith(f"fits        {first}")
    assert [line[:12].strip() for line in lines[1:]] == [*names, "latency", "energy", "goes to"]


def test_training_is_only_shown_where_the_device_learns(path):
    on_chip = run("estimate", path, "--details").stdout
    on_controller = run("estimate", path, "--details", "--hardware", "uno").stdout
    assert re.search(r"^memory +inference +training$", on_chip, re.M)
    assert re.search(r"^memory +inference$", on_controller, re.M)
    assert (
        "training: not on this device; the exported program of such a network does not learn" in on_controller
    )
    assert "training" not in run("estimate", path).stdout
    text = run("estimate", path, "--details", "--compare", "uno").stdout
    assert re.search(r"^memory +inference +inference$", text, re.M)


def test_hardware_that_says_nothing_of_time_has_no_such_table(path):
    output = run("estimate", path, "--hardware", "loihi-like", "--details").output
    assert "cycles per image" not in output
    assert "area" not in output
    assert "nothing is said of time" in output


def test_what_is_remembered_and_what_does_not_fit_is_said(tmp_path):
    activity = dict.fromkeys(("inference", "training"), Activity(samples=1, steps=350, input_spikes=10))
    store.save(model_with(activity, neurons=5000), tmp_path / "large.h5")
    output = run("estimate", tmp_path / "large.h5", "--hardware", "asic28-odin", "--details").output
    assert "inference does not fit: weights 3,040,000 of 262,144 bits" in output
    assert "remembered only, not verified: clock.f_mhz, power.leakage_uw" in output


def test_with_check_the_status_says_whether_inference_fits(path, tmp_path):
    small = tmp_path / "small.toml"
    text = (PRESETS / "mcu-m4f.toml").read_text()
    small.write_text(text.replace("flash_bytes = 524288", "flash_bytes = 1900"))
    for options in ([], ["--json"], ["--compare", "mcu-m4f"]):
        without = run("estimate", path, "--hardware", small, *options)
        checked = run("estimate", path, "--hardware", small, "--check", *options)
        assert (without.exit_code, checked.exit_code) == (0, 1)
        assert checked.stdout == without.stdout
    assert re.search(
        r"fits +no, not on mcu-m4f: .*\n +flash +2.29 KiB of 1.86 KiB \(124%\): too much", without.stdout
    )
    assert run("estimate", path, "--hardware", "mcu-m4f", "--check").exit_code == 0
    assert run("estimate", path, "--hardware", "mcu-m4f", "--check", "--compare", small).exit_code == 1
    # Only inference is exported: what learning would take is not checked.
    small.write_text(text.replace("ram_bytes = 131072", "ram_bytes = 600"))
    assert not json.loads(run("estimate", path, "--hardware", small, "--json").stdout)["fits"]["training"]
    assert run("estimate", path, "--hardware", small, "--check").exit_code == 0


def test_a_quantized_model_says_when_its_activity_was_counted(model, tmp_path):
    store.save(quantize(model, "UQ0.4"), tmp_path / "net4.h5")
    for more in ((), ("--json",), ("--compare", "mcu-m4f")):
        result = run("estimate", tmp_path / "net4.h5", *more)
        assert result.stderr.count("counted with the weights before quantization") == 1
    assert "before quantization" not in refused("estimate", tmp_path / "net4.h5", "--hardware", "abacus")


def test_two_networks_stand_side_by_side(model, path, tmp_path):
    other = tmp_path / "net4.h5"
    store.save(quantize(model, "UQ0.4"), other)
    output = run("estimate", path, "--compare", other).stdout
    assert f"{other} over {path}: memory 0." in output
    detailed = run("estimate", path, "--compare", other, "--details").stdout
    assert f"{other} over {path}: inference 0." in detailed
    answer = json.loads(run("estimate", path, "--compare", other, "--json").stdout)
    assert answer["model"] == str(path)
    assert answer["compare"]["model"] == str(other)
    for quantity in ("memory_bits", "energy_pj"):
        mine, others = (a[quantity]["inference"] for a in (answer, answer["compare"]))
        assert others["weights"] < mine["weights"]


def test_two_presets_stand_side_by_side(path, tmp_path):
    result = run("estimate", path, "--compare", "mcu-m4f", "--details")
    output = result.stdout
    assert f"{path}: computes with floats, of which no program is made; costs are as if" in result.stderr
    assert "floats" not in run("estimate", path).stderr
    assert "mcu-m4f over asic65-lp: inference" in output
    assert re.search(
        r"inference takes flash [\d,]+ of 524,288 bytes\n +inference takes ram [\d,]+ of 131,072", output
    )
    assert output.startswith(f"{path}\nasic65-lp: 65 nm")
    own = tmp_path / "mine.toml"
    shutil.copy(PRESETS / "asic65-lp.toml", own)
    answer = json.loads(run("estimate", path, "--hardware", "mcu-m4f", "--compare", own, "--json").stdout)
    assert (answer["hardware"], answer["compare"]["hardware"]) == ("mcu-m4f", "asic65-lp")
    assert answer["compare"]["model"] == answer["model"]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_drawn(path, tmp_path, suffix):
    picture = tmp_path / f"costs{suffix}"
    result = run("estimate", path, "--compare", "mcu-m4f", "--plot", picture)
    assert result.exit_code == 0, result.output
    assert f"wrote {picture}" in result.stdout
    assert picture.stat().st_size > 5000


def test_a_picture_of_no_known_kind_is_refused(path, tmp_path):
    message = refused("estimate", path, "--plot", tmp_path / "costs.doc")
    assert "costs.doc: a picture ends in .png, .svg, .pdf; give it such a name" in message
    assert not (tmp_path / "costs.doc").exists()


def test_a_picture_in_a_folder_that_is_not_there_is_refused(path, tmp_path):
    assert "there is no folder" in refused("estimate", path, "--plot", tmp_path / "none" / "costs.png")


def test_comparing_with_itself_is_refused(path):
    for other in (path, "asic65-lp"):
        message = refused("estimate", path, "--compare", other)
        assert f"--compare {other}: is the same network on the same hardware; name another" in message


def test_a_model_without_activity_is_refused_in_one_line(tmp_path):
    store.save(model_with({}), tmp_path / "net.h5")
    message = refused("estimate", tmp_path / "net.h5")
    assert "nothing was counted for 'inference'" in message


def test_without_counts_the_mean_pixel_helps_and_the_answer_says_so(path, tmp_path):
    never_run = tmp_path / "never-run.h5"
    store.save(model_with({}), never_run)
    result = run("estimate", never_run, "--mean-intensity", 0.13)
    assert result.exit_code == 0, result.output
    assert "Nothing was counted: spikes are expected from the mean pixel intensity" in result.stdout
    assert "activity was counted for" in refused("estimate", path, "--mean-intensity", 0.13)
    assert "is not a mean pixel" in refused("estimate", never_run, "--mean-intensity", 13)


def test_unknown_hardware_is_refused_in_one_line(path):
    for arguments in (
        ("estimate", path, "--hardware", "asic65"),
        ("estimate", path, "--compare", "asic65"),
        ("hardware", "show", "asic65"),
    ):
        assert "no preset 'asic65'; did you mean asic65-lp?" in refused(*arguments)


def test_a_missing_network_is_refused_in_one_line(path, tmp_path):
    for arguments in (("estimate", tmp_path / "no.h5"), ("estimate", path, "--compare", tmp_path / "no.h5")):
        assert "no.h5" in refused(*arguments)


def test_hardware_is_listed_with_how_far_to_trust_it():
    output = run("hardware", "list").output
    names = [line.split()[0] for line in output.splitlines() if not line.startswith(" ")]
    assert names == hardware_names()
    assert "uncalibrated" in output
    assert re.search(r"^mcu-avr .*\n +also uno, arduino-uno, atmega328p$", output, re.M)
    assert set(json.loads(run("hardware", "list", "--json").stdout)) == set(hardware_names())


def test_hardware_goes_by_the_name_of_a_part_or_a_core_too(path):
    assert run("hardware", "show", "uno").output.startswith("mcu-avr (uncalibrated): ATmega328P")
    assert json.loads(run("hardware", "show", "uno", "--json").stdout)["aliases"][0] == "uno"
    assert (
        run("estimate", path, "--hardware", "uno").output
        == run("estimate", path, "--hardware", "mcu-avr").output
    )
    message = refused("estimate", path, "--hardware", "uno", "--compare", "mcu-avr")
    assert "--compare mcu-avr: is the same network on the same hardware; name another" in message


def test_a_file_for_hardware_of_ones_own_starts_from_a_preset(path, tmp_path):
    own = tmp_path / "board.toml"
    own.write_text(run("hardware", "show", "stm32f4", "--toml").stdout)
    assert run("hardware", "show", own).stdout.startswith("mcu-m4f (uncalibrated): Cortex-M4F")
    own.write_text(own.read_text().replace("f_mhz = 180 ", "f_mhz = 90 "))
    shown = run("hardware", "show", own).stdout
    assert shown.startswith("board (uncalibrated): mcu-m4f but clock.f_mhz 90\n")
    assert re.search(r"clock.f_mhz +90  yours\n", shown)
    assert run("estimate", path, "--hardware", own).exit_code == 0
    own.write_text(run("hardware", "show", own, "--toml").stdout)  # all values, as it is not a preset
    assert run("hardware", "show", own).stdout == shown
    assert "--toml, --json: are two forms; choose one" in refused(
        "hardware", "show", "uno", "--toml", "--json"
    )


def test_hardware_is_shown_with_its_sources():
    assert "memory.weights.kappa" in run("hardware", "show", "asic65-lp").output
    answer = json.loads(run("hardware", "show", "asic65-lp", "--json").stdout)
    assert answer["values"]["memory.weights.kappa"]["value"] == 2.2
    assert all(row["source"] for row in answer["values"].values())
    assert answer["confidence"] == "calibrated"
    assert "10, 20, 100" in run("hardware", "show", "asic45-horowitz").output
