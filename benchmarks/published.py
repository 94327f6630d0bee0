"""What was published of chips and boards, and what the cost model says of the same things.

Every comparison has a role. ``exact``: arithmetic that must come out. ``calibration``: a number of the model
was fitted to it, so it shows nothing. ``held out``: nothing was fitted to it. Sources: [S] read in the
source, [S2] read in a secondary source, [R] remembered, not verified. What an estimate assumes, because it
was not published or could not be read, stands beside it; assumptions were made once, before the estimate was
seen. `INCOMPARABLE` lists what was published but cannot be estimated.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

from fspinn.memmodel import LayerSize, Size, Workload, load_hardware
from fspinn.memmodel.case import Case
from fspinn.memmodel.energy import energy_pj
from fspinn.memmodel.hardware import Events, Hardware
from fspinn.memmodel.sram import area_um2, read_pj, write_pj

KAPPA = 2.2
KAPPA_AREA = 1.5
KIB = 8192

# Measured here on the 60,000 training images of MNIST.
PIXELS_NOT_BLACK = 150
PIXELS_NOT_BLACK_IN_THE_MIDDLE = 144  # the 20 x 20 pixels in the middle
PIXELS_NOT_BLACK_OF_16X16 = 85  # after scaling down (bilinear; 3,000 images)


@dataclass(frozen=True)
class Comparison:
    """A published figure beside the estimate."""

    system: str
    quantity: str
    published: float
    estimate: float
    unit: str
    role: str
    source: str
    assumed: str = ""

    @property
    def ratio(self) -> float:
        """The estimate over the published figure."""
        return self.estimate / self.published


def comparisons() -> list[Comparison]:
    """Return all comparisons: exact ones, calibration, and what was held out."""
    return [*_exact(), *_calibration(), *_held_out()]


def case(
    hardware: Hardware, size: Size, input_spikes: float, output_spikes: float = 0, without_steps: bool = False
) -> Case:
    """Return an inference with so many spikes; without steps only the spikes are worked on."""
    work = Workload.expected(size.layers[0], input_spikes, output_spikes, training=False)
    work = replace(work, steps=0, neuron_updates=0) if without_steps else work
    return Case(size, (work,), hardware, False)


def dense(
    n_inputs: int, n_neurons: int, weight_bits: int, steps: int = 350, adaptation: str = "balanced"
) -> Size:
    """Return the size of a network of one layer, with labels for ten classes."""
    layer = LayerSize(n_inputs, n_neurons, weight_bits, steps=steps, adaptation=adaptation)
    return Size((layer,), 10, readout="majority")


def _exact() -> list[Comparison]:
    odin, artix = load_hardware("asic28-odin"), load_hardware("fpga-artix7")
    core = dense(256, 256, weight_bits=4)
    idle = case(odin, core, 0, without_steps=True)
    readout = sum(idle.cycles.values())

    def odin_cycles(**counts: float) -> float:
        return sum(replace(idle, work=(replace(idle.work[0], **counts),)).cycles.values()) - readout  # type: ignore[arg-type]

    words = 8192
    assert odin.cycles is not None
    learning, addition = odin.cycles.learning, odin.cycles.addition
    spiker = dense(784, 138, weight_bits=6, steps=100)
    layers = [dense(784, 128, weight_bits=6, steps=100), dense(128, 10, weight_bits=6, steps=100)]
    blocks = sum(-(-case(artix, layer, 0).stored["weights"] // 36_864) for layer in layers)
    documentation, spiker_plus = "[S] ODIN's documentation", "[S] Spiker+, arXiv 2401.01141"
    rows = [
        ("ODIN", "synapse memory", 32, idle.stored["weights"] / KIB, "KiB", documentation, ""),
        ("ODIN", "neuron memory", 4, idle.physical["state"] / KIB, "KiB", documentation, ""),
        ("ODIN", "one synapse", 2, addition, "cycles", documentation, ""),
        (
            "ODIN",
            "spike of a neuron, 256 synapses",
            513,
            odin_cycles(input_spikes=1, rows_read=1),
            "cycles",
            documentation,
            "",
        ),
        (
            "ODIN",
            "time step of 256 neurons",
            512,
            odin_cycles(neuron_updates=256),
            "cycles",
            documentation,
            "",
        ),
        (
            "ODIN",
            "bistability of all synapses",
            32_768,
            2 * words * learning,
            "cycles",
            documentation,
            "each of the 8,192 words is changed twice",
        ),
        ("ODIN", "synaptic operations", 37.5, odin.clock.f_mhz / addition, "M/s", "[R] 75 MHz", ""),
        (
            "Spiker+",
            "time of an MNIST image, 784-128-10",
            780,
            sum(case(artix, spiker, 2000).cycles.values()) / artix.clock.f_mhz,
            "us",
            spiker_plus,
            "100 time steps [R]",
        ),
        ("Spiker+", "block RAMs of 784-128-10", 18, blocks, "blocks", spiker_plus, "6 bits a weight"),
    ]
    return [
        Comparison(system, quantity, published, estimate, unit, "exact", source, assumed)
        for system, quantity, published, estimate, unit, source, assumed in rows
    ]


def _calibration() -> list[Comparison]:
    artix = load_hardware("fpga-artix7")
    spiker = dense(784, 138, weight_bits=6, steps=100)
    horowitz, area = "[S2] ISSCC 2014", KAPPA_AREA * 1e-6
    rows = [
        *(
            (
                "Horowitz 45 nm",
                f"64-bit read of {kib} KiB",
                float(published),
                KAPPA * read_pj(45, 1.0, "hp", 64, kib * KIB),
                "pJ",
                horowitz,
                "CACTI's hp cells at 1.0 V",
            )
            for kib, published in ((8, 10), (32, 20), (1024, 100))
        ),
        (
            "TrueNorth 28 nm",
            "SRAM read of a bit",
            47.0,
            1000 * KAPPA * read_pj(28, 0.775, "lstp", 512, 16 * KIB) / 512,
            "fJ",
            "[S]",
            "16 KiB of 512-bit words, wider than those fitted",
        ),
        (
            "ODIN 28 nm, 0.55 V",
            "synaptic operation, incremental",
            8.43,
            synaptic_operation_pj(28, 0.55, 128, 4 * KIB, 32, 32 * KIB, weights_in_a_word=8),
            "pJ",
            "[S]",
            "weight word read once for all it holds, or read and written each time: the mean",
        ),
        (
            "NeuroMC 32 nm",
            "SRAM access, 8 KiB of 16 bits",
            5.79,
            KAPPA * read_pj(32, 0.9, "hp", 16, 8 * KIB),
            "pJ",
            "[S] a table in SpikingJelly, itself a model",
            "CACTI's hp cells at 0.9 V",
        ),
        (
            "ODIN",
            "area",
            0.086,
            area * (area_um2(28, 32, 32 * KIB) + area_um2(28, 128, 4 * KIB)),
            "mm2",
            "[S]",
            "",
        ),
        (
            "MorphIC",
            "area",
            2.86,
            area * area_um2(65, 32, 738_000 * 2.86),
            "mm2",
            "[S]",
            "only synapses, 32-bit words",
        ),
        (
            "Spiker+",
            "energy of an MNIST image",
            140.0,
            sum(energy_pj(case(artix, spiker, 2000)).values()) / 1e6,
            "uJ",
            "[S] 180 mW, 780 us",
            "100 time steps [R]",
        ),
    ]
    return [
        Comparison(system, quantity, published, estimate, unit, "calibration", source, assumed)
        for system, quantity, published, estimate, unit, source, assumed in rows
    ]


def synaptic_operation_pj(
    node_nm: float,
    vdd_v: float,
    state_word_bits: int,
    state_bits: int,
    weight_word_bits: int,
    weights_bits: int,
    weights_in_a_word: int,
) -> float:
    """Return the energy of a synaptic operation on a chip that learns, kappa included.

    A neuron is read and written. Its weight's word is read once for all weights in it, or read and written
    for each where the weight is learned: the mean of both.
    """
    state = (node_nm, vdd_v, "lstp", state_word_bits, state_bits)
    weight = (node_nm, vdd_v, "lstp", weight_word_bits, weights_bits)
    neuron = read_pj(*state) + write_pj(*state)
    shared, learned = read_pj(*weight) / weights_in_a_word, read_pj(*weight) + write_pj(*weight)
    return float(KAPPA * (neuron + (shared + learned) / 2))


def _held_out() -> list[Comparison]:
    odin, artix = load_hardware("asic28-odin"), load_hardware("fpga-artix7")
    loihi, horowitz = load_hardware("loihi-like"), load_hardware("asic45-horowitz")
    assert artix.fabric is not None
    # 4 cores of 512 neurons; binary synapses in 32-bit words; 64 bits a neuron.
    morphic_pj = synaptic_operation_pj(65, 0.8, 64, 512 * 64, 32, 528_000, weights_in_a_word=32)
    ten = dense(256, 10, weight_bits=4)
    registers = replace(horowitz, core=replace(horowitz.core, accumulators="registers"))
    share = energy_pj(case(registers, dense(784, 400, weight_bits=8), 2157, 9))
    return [
        Comparison(
            "MorphIC 65 nm, 0.8 V",
            "synaptic operation",
            30.0,
            morphic_pj,
            "pJ",
            "held out",
            "[R]",
            "64 bits a neuron, 32-bit words; as ODIN",
        ),
        Comparison(
            "Merolla 2011, 45 nm",
            "spike into a 1024 x 256 crossbar",
            45.0,
            KAPPA * read_pj(45, 1.0, "hp", 256, 1024 * 256),
            "pJ",
            "held out",
            "[S]",
            "one row of 256 bits is read; CACTI's hp cells at 1.0 V; published with the logic of 256 neurons",
        ),
        Comparison(
            "ODIN 28 nm, 0.55 V",
            "MNIST image, 256-10, rank order",
            15.0,
            sum(energy_pj(case(odin, ten, PIXELS_NOT_BLACK_OF_16X16, 1, without_steps=True)).values()) / 1e3,
            "nJ",
            "held out",
            "[S]",
            "every pixel that is not black spikes once",
        ),
        Comparison(
            "MorphIC 65 nm, 0.8 V",
            "MNIST image, rank order",
            21.8,
            PIXELS_NOT_BLACK * 2048 * morphic_pj / 1e6,
            "uJ",
            "held out",
            "[S]",
            "every pixel that is not black spikes once, into all 2048 neurons",
        ),
        Comparison(
            "Spiker+",
            "power of 18,268 logic cells (SHD)",
            430.0,
            18_268 * artix.fabric.active_pj_per_cell_cycle * artix.clock.f_mhz / 1e3,
            "mW",
            "held out",
            "[S]",
            "100 MHz; the MNIST design is the calibration",
        ),
        Comparison(
            "Loihi 14 nm",
            "MNIST image, 400-400-10, inference",
            2.5,
            _layers_uj(loihi, (400, 400, 10), PIXELS_NOT_BLACK_IN_THE_MIDDLE / 400, steps=3),
            "uJ",
            "held out",
            "[S] Renner 2024",
            "inputs that are not black spike once, hidden neurons as often; three time steps",
        ),
        Comparison(
            "SpiNNaker 130 nm",
            "MNIST image, 784-500-500-10",
            3300.0,
            _layers_uj(
                replace(loihi, events=Events(13_300, 26_000, 0)),
                (784, 500, 500, 10),
                PIXELS_NOT_BLACK / 784,
                steps=11,
            ),
            "uJ",
            "held out",
            "[S] Renner 2024",
            "13.3 nJ an addition, 26 nJ an update [S2]; pixels that are not black spike once, hidden neurons "
            "as often; 11 ms are 11 time steps",
        ),
        Comparison(
            "Park 2019, 65 nm",
            "MNIST image, 784-200-200-10, inference",
            0.253,
            _park_uj(),
            "uJ",
            "held out",
            "[S] Renner 2024",
            "node [R]; 0.8 V and 8 bits assumed; binary inputs, 19 % of all neurons spike; sums in registers",
        ),
        Comparison(
            "SNAP-V, 45 nm",
            "share of the weight memory in the power",
            96.0,
            100 * share["weights"] / sum(share.values()),
            "%",
            "held out",
            "[S2] 480 of 500 mW",
            "a network of 784-400 with 8 bits, sums in registers",
        ),
    ]


def _layers_uj(hardware: Hardware, layers: tuple[int, ...], active: float, steps: int) -> float:
    """Return the energy of layers that each see a share of their inputs spike once."""
    total = 0.0
    for inputs, neurons in pairwise(layers):
        size = dense(inputs, neurons, weight_bits=8, steps=steps, adaptation="off")
        total += sum(energy_pj(case(hardware, size, active * inputs)).values())
    return total / 1e6


def _park_uj() -> float:
    asic = load_hardware("asic65-lp")
    assert asic.process is not None
    park = replace(
        asic,
        process=replace(asic.process, vdd_v=0.8),
        core=replace(asic.core, accumulators="registers"),
    )
    return _layers_uj(park, (784, 200, 200, 10), PIXELS_NOT_BLACK / 784, steps=1)


INCOMPARABLE = (
    (
        "Chen 2018, 10 nm",
        "3.8 pJ a synaptic operation; 1.0 and 1.7 uJ an image",
        "10 nm: SRAM law holds from 22 nm",
    ),
    ("Seo 2011, 45 nm", "architecture", "power and area could not be read"),
    ("Kim 2015, 65 nm", "3.65 mW at 640 Mpixel/s", "operations per pixel are not known"),
    ("Zhong 2021, 28 nm", "3.348 mW while learning MNIST", "clock and time of an image could not be read"),
    ("MorphIC, rate code", "205 uJ an image", "number of spikes is not known"),
    ("Loihi, learning", "0.59 mJ (400-400-10), 0.553 mJ (1920-10)", "backpropagation; another rule"),
    ("Loihi, 1920-10", "12.8 uJ an image", "number of time steps is not known"),
    ("Buhler 2017", "50 nJ an image", "analogue neurons"),
    ("TrueNorth, SPOON, Skydiver", "0.27 to 108 uJ; 0.313 uJ; 42.4 uJ", "convolutional networks"),
    ("Han 2020, ZC706", "161 images/s, 2.96 mJ", "lanes and time steps are not known"),
    ("Fan & Levy, Artix-7", "0.52 ms", "the network could not be read"),
    ("Spiker+, SHD", "54 us", "skips time steps without spikes; how many is not known"),
    ("RSNN on a Cortex-M4", "4.1 uJ, at most 150.4 us a step", "size of the network is not known"),
)
"""Published, but not estimated: what, and what is missing."""
