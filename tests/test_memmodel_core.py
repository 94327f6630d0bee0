"""What a column takes of an FPGA, as the core that is exported."""

from dataclasses import replace

import fpga
import numpy as np
import pytest
import tables
from test_memmodel_columns import COUNTED, column

from fspinn.base.errors import ConfigError, HardwareError
from fspinn.memmodel import LayerSize, Size, Workload, estimate, load_hardware, workloads_of_spikes
from fspinn.memmodel.case import Case
from fspinn.memmodel.column import column_cycles, logic_cells, ram_blocks
from fspinn.memmodel.names import PRESETS
from fspinn.memmodel.text import describe
from fspinn.model.tensors import Tensor
from fspinn.network import Network

ICE = load_hardware("fpga-ice40up5k")
SIZE = Size.of(column(Network.patches(16), state="Q5.5"))
WORK = {"inference": (Workload.counted(COUNTED),)}
SIGNAL = Size.of(column(Network.patches(16, (1, 24), cells=(1, 3)), shape=(1, 128)))
DENSE = Size((LayerSize(784, 16, weight_bits=3),), n_classes=10, readout_bits=4)


def layers_of(size, **changes):
    return replace(size, layers=(replace(size.layers[0], **changes),))


def test_cycles_follow_from_what_is_counted():
    cycles = column_cycles(SIZE, *WORK["inference"])
    assert cycles == {
        "scan": 2 * 784,  # pixels
        "steps": 3585 + 576,  # and positions
        "weights": 2718,  # input spikes
        "neurons": 211 * 11,  # output spikes, a state of 10 bits
        "readout": 11,
    }
    assert estimate(SIZE, ICE, WORK).latency["inference"]["total"] == sum(cycles.values())


def test_a_column_at_one_position_takes_in_all_of_its_field():
    whole = Size.of(column(Network.patches(4, field=28, cells=1)))
    assert column_cycles(whole, *WORK["inference"])["scan"] == 2 * 784


def test_ram_blocks_hold_lines_weights_and_readout():
    """4 lines of 28 times of 4 bits; 25 words of 48 bits; 144 words of 40 bits."""
    assert ram_blocks(SIZE, ICE) == {"lines": 1, "weights": 3, "readout": 3}
    assert estimate(SIZE, ICE, WORK).physical["inference"]["total"] == 7 * 4096


def test_deep_memories_have_narrow_words():
    """1152 words of 4 bits: 5 blocks of 16 bits, or 2 of 4 bits."""
    deep = replace(layers_of(SIZE, cells=36, n_neurons=32), n_classes=1)
    assert deep.features == 1152
    assert ram_blocks(deep, ICE)["readout"] == 2


def test_lines_of_a_few_bits_lie_in_registers():
    assert ram_blocks(SIGNAL, ICE)["lines"] == 0
    held = replace(SIGNAL, kept_lines=1)  # nothing is kept
    assert logic_cells(SIGNAL, ICE) - logic_cells(held, ICE) == pytest.approx(23 * 4)


@pytest.mark.parametrize(
    "more", [{"n_neurons": 17}, {"n_inputs": 40}, {"weight_bits": 4}, {"positions": 2000}], ids=str
)
def test_a_larger_core_takes_more_cells(more):
    assert logic_cells(layers_of(SIZE, **more), ICE) > logic_cells(SIZE, ICE)


def test_bits_that_never_change_take_no_block():
    model = column(Network.patches(16), state="Q5.5")
    (layer,) = model.layers
    assert layer.weights.bits == 3
    numbers = np.array(layer.weights.values)
    numbers[0], numbers[1, :8] = 0.5, 0.75  # of eight neurons two bits change, of the others one
    learned = replace(layer, weights=Tensor.rounded(numbers, layer.weights.format))
    size = Size.of(replace(model, layers=(learned,)))
    assert size.layers[0].changing_bits == 24
    assert ram_blocks(size, ICE) == {"lines": 1, "weights": 2, "readout": 3}


def test_unused_inputs_are_there_too():
    pruned = layers_of(SIZE, n_inputs=10, mapped_pixels=25)
    assert logic_cells(pruned, ICE) == logic_cells(SIZE, ICE)
    assert ram_blocks(pruned, ICE) == ram_blocks(SIZE, ICE)


def test_a_core_does_not_learn():
    found = estimate(SIZE, ICE, WORK)
    assert found.phases == ("inference",)
    with pytest.raises(ConfigError, match="training: the exported core of a column has no circuits that lea"):
        found.fits("training")


def test_what_it_takes_is_said():
    text = describe({"ice": estimate(SIZE, ICE, WORK)})
    assert "inference takes ram 7 of 30 blocks" in text
    assert "of 5,280 cells" in text
    large = describe({"ice": estimate(layers_of(SIZE, n_neurons=400), ICE, WORK)})
    assert "inference does not fit: ram" in large
    assert "inference does not fit: logic" in large


@pytest.mark.parametrize(
    "other",
    [DENSE, replace(SIZE, pooled=4), replace(SIZE, extra_features=2), SIZE.online],
    ids=["dense", "blocks", "features", "online"],
)
def test_other_networks_have_lanes(other):
    needs = estimate(other, ICE, workloads_of_spikes(other, 100, 10)).capacity["inference"]
    assert "ram_blocks" not in needs
    assert needs["logic_cells"].needed == 8 * 150


def test_many_networks_at_once_are_as_each_alone():
    several = [SIZE, layers_of(SIZE, n_neurons=32), replace(SIZE, kept_times=0, kept_lines=0)]
    arrays = layers_of(SIZE, n_neurons=np.array([one.layers[0].n_neurons for one in several]))
    arrays = replace(
        arrays,
        **{name: np.array([getattr(one, name) for one in several]) for name in ("kept_times", "kept_lines")},
    )
    work = Workload.counted(COUNTED)
    together = Case(arrays, (work,), ICE, False)
    for number, one in enumerate(several):
        alone = Case(one, (work,), ICE, False)
        total = sum(np.broadcast_to(value, 3)[number] for value in together.cycles.values())
        assert total == pytest.approx(sum(alone.cycles.values()))
        for name in ("weights", "state"):
            assert np.broadcast_to(together.physical[name], 3)[number] == alone.physical[name]


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ("capacity_bits = 122880\n", "memory.state.capacity_bits"),
        ("[fabric]\nlogic_cells = 5280\ncells_per_lane = 150\nactive_pj_per_cell_cycle = 0.56\n", "fabric"),
    ],
)
def test_cells_and_blocks_of_a_core_have_a_limit(old, key, tmp_path):
    text = (PRESETS / "fpga-ice40up5k.toml").read_text()
    assert old in text
    lines = text.replace(old, "").splitlines(keepends=True)
    path = tmp_path / "mine.toml"
    path.write_text("".join(line for line in lines if not line.startswith(f'"{key}')))
    with pytest.raises(HardwareError, match=rf"{key}: missing, and \[column\] needs it; add it$"):
        load_hardware(path)


def test_what_was_measured_is_met():
    """Cycles within 5 %, cells and RAM blocks within 10 %, also where nothing was fitted."""
    kept = tables.kept("fpga", fpga.PARTS)
    assert set(fpga.FITTED).isdisjoint(fpga.CHECKED)
    for part, result in kept.items():
        said, placed = fpga.estimated(result), result["placed"]["up5k"]
        assert said["cycles"] == pytest.approx(result["cycles"], rel=0.05), part
        assert said["cells"] == pytest.approx(placed["cells"][0], rel=0.1), part
        assert said["blocks"] == pytest.approx(placed["blocks"][0], rel=0.1), part
