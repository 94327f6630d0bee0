"""What is a piece of hardware? Frozen descriptions, the unit in every name, a source for every number.

The names of the fields below are the keys of a description's TOML file, the dataclasses its tables;
`fspinn.memmodel.hardware_files` reads and checks it. Tables and keys that may be missing have a default: what
is not named costs nothing. So one description fits chips that pay for each access (`Memory`), published
chips that pay for each event (`Events`), and processors that pay for each cycle (`Power`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fspinn.base.printing import Printed
from fspinn.memmodel.sram import CELLS

CONFIDENCES = ("calibrated", "published", "convention", "uncalibrated")
"""How far to trust a description: fitted to published chips, a published chip's own numbers, a convention
that makes figures comparable, or nobody has measured it."""

ACCESSES = ("sram-law", "table", "none")
"""Where the energy of an access comes from."""

KEYS_OF_ACCESS: dict[str, tuple[str, ...]] = {
    "sram-law": ("kappa",),
    "table": ("table_capacity_bits", "table_access_pj"),
    "none": (),
}
"""Which keys of a memory count with each of them."""

SCHEDULES = ("event", "clock")
"""Whether a core works on the inputs that spike, or on all inputs in every time step."""

ACCUMULATORS = ("sram", "registers")
"""Where potentials lie while the spikes of a time step are added."""


class Within(NamedTuple):
    """Least and greatest possible value of a field."""

    low: float
    high: float


Energy = Annotated[float, Within(0, 1e9)]
Bits = Annotated[int, Within(1, 2**50)]
Cycle = Annotated[float, Within(0, 10**6)]
Bytes = Annotated[int, Within(0, 2**40)]


@dataclass(frozen=True)
class Meta:
    """What the description is called, what it describes, and how far to trust it."""

    name: str
    description: str
    confidence: Annotated[str, CONFIDENCES]


@dataclass(frozen=True)
class Band:
    """Multiples of an estimate within which the true value is expected."""

    low: Annotated[float, Within(0.01, 1)]
    high: Annotated[float, Within(1, 100)]


@dataclass(frozen=True)
class Bands:
    """One band for each kind of estimate that the description gives."""

    energy: Band
    latency: Band | None = None
    area: Band | None = None


@dataclass(frozen=True)
class Process:
    """Technology: feature size, supply and kind of SRAM cell. The SRAM law holds from 22 to 90 nm."""

    node_nm: Annotated[float, Within(22, 90)]
    vdd_v: Annotated[float, Within(0.4, 1.5)]
    cell: Annotated[str, CELLS]


@dataclass(frozen=True)
class Clock:
    """The one clock of the core."""

    f_mhz: Annotated[float, Within(0.001, 10_000)]


@dataclass(frozen=True)
class Core:
    """How many neurons are worked on at once, in which order, and where their sums lie meanwhile."""

    lanes: Annotated[int, Within(1, 2**20)]
    schedule: Annotated[str, SCHEDULES]
    accumulators: Annotated[str, ACCUMULATORS]


@dataclass(frozen=True)
class Memory:
    """One memory: words, macros that it is built of, and the energy of an access.

    Without `capacity_bits` it is as large as the network needs, in whole macros. `access` says which of
    the other keys count: ``sram-law`` takes `kappa` (published energies over those of the law), ``table``
    the energies `table_access_pj` of memories of `table_capacity_bits`.
    """

    access: Annotated[str, ACCESSES]
    word_bits: Annotated[int, Within(1, 4096)]
    macro_bits: Bits
    capacity_bits: Bits | None = None
    kappa: Annotated[float, Within(0.1, 100)] | None = None
    table_capacity_bits: tuple[Bits, ...] | None = None
    table_access_pj: tuple[Energy, ...] | None = None


@dataclass(frozen=True)
class Memories:
    """The memory of the weights, and that of all else."""

    weights: Memory
    state: Memory


@dataclass(frozen=True)
class Arithmetic:
    """Integer operations at a node and supply; scaled to those of the process."""

    add_pj_per_bit: Energy
    multiply_pj_per_square_bit: Energy
    node_nm: Annotated[float, Within(7, 130)]
    vdd_v: Annotated[float, Within(0.4, 1.5)]


@dataclass(frozen=True)
class Events:
    """Energy of a synaptic addition, of a neuron's update in a time step and of a weight's change, all in."""

    addition_pj: Energy
    neuron_pj: Energy
    learning_pj: Energy


@dataclass(frozen=True)
class Power:
    """What is paid for time: leakage, clock tree, and the cycles of a processor that is awake."""

    leakage_pw_per_bit: Annotated[float, Within(0, 1e9)] = 0.0
    leakage_uw: Annotated[float, Within(0, 1e9)] = 0.0
    idle_uw_per_mhz: Annotated[float, Within(0, 1e6)] = 0.0
    active_pj_per_cycle: Energy = 0.0


@dataclass(frozen=True)
class Fabric:
    """Logic of an FPGA: cells that there are, cells that a lane takes and what a used one costs a cycle."""

    logic_cells: Bits
    cells_per_lane: Annotated[float, Within(1, 10**6)]
    active_pj_per_cell_cycle: Energy


@dataclass(frozen=True)
class OffChip:
    """Memory for weights that do not fit on the chip."""

    pj_per_bit: Energy
    bandwidth_mbit_per_s: Annotated[float, Within(0.001, 1e9)]


@dataclass(frozen=True)
class Cycles:
    """Clock cycles: per time step, word (or input) scanned, neuron updated, input spike, addition, output
    spike, neuron inhibited, and word or weight learned, threshold adapted (None: as `learning`), and position
    that is drawn to learn from. All but `step`, the scans, `drawn` and the two spikes are for each group of
    lanes. `column_scan` takes the place of `scan` where a program computes a column line by line
    (`fspinn.memmodel.latency`): an input of a position whose time it looks at; and `wide` is what a neuron
    that is updated takes more there if potentials have 15 bits or more."""

    step: Cycle
    scan: Cycle
    neuron: Cycle
    input_spike: Cycle
    addition: Cycle
    output_spike: Cycle
    inhibition: Cycle
    learning: Cycle
    threshold: Cycle | None = None
    drawn: Cycle = 0.0
    column_scan: Cycle = 0.0
    wide: Cycle = 0.0


@dataclass(frozen=True)
class Program:
    """Clock cycles of the exported C program, of layers that are not a column, in the place of `Cycles`; see
    `fspinn.memmodel.program_cycles`.

    Parameters
    ----------
    pass_input : float
        Of an input in each pass over all of them before the first time step.
    look : float
        Of an input, each time that a position looks at it for eight time steps.
    contrast : float
        More, for an input whose contrast `OnOff` makes.
    contrast_pixel : float
        More, for each pixel of the mean around it, or of a block.
    value : float
        More, for each value of a signal that is looked up.
    draw, regular : float
        More, for an input that is not black, with rates at random and with regular ones.
    event : float
        Of an event.
    run : float
        Of each row of a field in which events, or spikes of a layer without inhibition, are looked for.
    step : float
        Of a time step at a position.
    input_spike, addition : float
        Of an input spike, and of each word of 32 bits of its weights.
    neuron, leak : float
        Of a neuron in a time step, and its leak.
    inhibition : float
        Of each neuron, when a spike takes something from the others.
    entry, product : float
        Of an entry of the readout or of a linear classifier (`fspinn.memmodel.dense`), and of its product
        with a count or an input that is not 0.
    """

    pass_input: Cycle
    look: Cycle
    contrast: Cycle
    contrast_pixel: Cycle
    value: Cycle
    draw: Cycle
    regular: Cycle
    event: Cycle
    run: Cycle
    step: Cycle
    input_spike: Cycle
    addition: Cycle
    neuron: Cycle
    leak: Cycle
    inhibition: Cycle
    entry: Cycle
    product: Cycle


@dataclass(frozen=True)
class Pipeline:
    """Circuits that go from spike to spike, a layer each, in the place of `Cycles`; see
    `fspinn.memmodel.pipeline`.

    `dense_lanes` units for a layer that sees the whole input (`Core.lanes` for one with a field). A map is
    encoded in `map_chunks` chunks (one more for a rest), the whole input in chunks of `dense_chunk_inputs`.
    Clock cycles: per chunk and per spike that the encoder finds, addition to a group of neurons, position
    whose threshold is tested; and in a dense layer per map, and per group of neurons and time step.
    """

    dense_lanes: Annotated[int, Within(1, 2**20)]
    map_chunks: Annotated[int, Within(1, 2**20)]
    dense_chunk_inputs: Annotated[int, Within(1, 2**20)]
    chunk: Cycle
    spike: Cycle
    addition: Cycle
    activation: Cycle
    map: Cycle
    step: Cycle


@dataclass(frozen=True)
class Column:
    """Logic cells of the core that `fspinn export` writes of a column, which has no lanes; see
    `fspinn.memmodel.column`.

    Those of every core, and those for a bit of the spike time of each input of the field, an input, a neuron,
    a bit of each potential and a bit of the score of each class.
    """

    cells: Annotated[float, Within(0, 10**6)]
    cells_per_time_bit: Annotated[float, Within(0, 1000)]
    cells_per_input: Annotated[float, Within(0, 1000)]
    cells_per_neuron: Annotated[float, Within(0, 1000)]
    cells_per_potential_bit: Annotated[float, Within(0, 1000)]
    cells_per_score_bit: Annotated[float, Within(0, 1000)]


@dataclass(frozen=True)
class Area:
    """Chip area over that of its SRAM by the law, and a lane's logic at a node (scaled by its square)."""

    kappa: Annotated[float, Within(0.1, 100)]
    lane_um2: Annotated[float, Within(0, 1e9)]
    node_nm: Annotated[float, Within(7, 130)]


@dataclass(frozen=True)
class Controller:
    """Memories of a microcontroller, and what the program takes of them beside the network.

    `rates_bytes` is the code of encoders that make rates of intensities, `contrast_bytes` that of
    `OnOff`, `pool_bytes` that of the means of blocks, `features_bytes` that of a readout that listens to
    features, `signal_bytes` that of keeping and scaling values of a signal, its contrast included, and
    `steps_bytes` what counting steps adds to that, `labels_bytes` that of a readout by labels, and
    `layer_bytes` that of each layer after the first. `column_bytes` is the code, instead of
    `program_bytes`, of a first layer that is computed line by line (`fspinn.memmodel.inputs.is_column`),
    with `column_stack_bytes` of stack, and `wide_bytes` what it has more where potentials have 15 bits or
    more, `wide_scores_bytes` where scores of classes have more than 16. `learning_bytes` is the code with
    which such a column learns on, and `learning_stack_bytes` what it takes more of the stack.
    `rows_bytes` is the code with which other networks than columns take an image row by row.
    `events_bytes` and `events_stack_bytes` are those of a program that takes events, instead of
    `program_bytes` and `stack_bytes`, and `events_words_bytes` what it has more where weights of an input
    take several words of 32 bits. `means_stack_bytes` is what other programs than that of a column take
    more of the stack where they take means of pixels (`OnOff`, blocks). Single variables are in the
    stack.
    """

    flash_bytes: Annotated[int, Within(1, 2**40)]
    ram_bytes: Annotated[int, Within(1, 2**40)]
    program_bytes: Bytes
    stack_bytes: Bytes
    rates_bytes: Bytes = 0
    contrast_bytes: Bytes = 0
    pool_bytes: Bytes = 0
    features_bytes: Bytes = 0
    signal_bytes: Bytes = 0
    steps_bytes: Bytes = 0
    labels_bytes: Bytes = 0
    layer_bytes: Bytes = 0
    column_bytes: Bytes = 0
    column_stack_bytes: Bytes = 0
    wide_bytes: Bytes = 0
    wide_scores_bytes: Bytes = 0
    learning_bytes: Bytes = 0
    learning_stack_bytes: Bytes = 0
    rows_bytes: Bytes = 0
    means_stack_bytes: Bytes = 0
    events_bytes: Bytes = 0
    events_stack_bytes: Bytes = 0
    events_words_bytes: Bytes = 0


@dataclass(frozen=True, repr=False)
class Hardware(Printed):
    """A piece of hardware, with a source for each of its numbers.

    Parameters
    ----------
    meta, clock, core, memory, band : dataclass
        The tables that every description has.
    process, arithmetic, events, power, fabric, off_chip : optional
    cycles, program, pipeline, column, area, controller : optional
        The tables that a description has where they apply. Without `cycles` or `pipeline` no time is known,
        without `area` no area.
    sources : mapping of str to str
        Where each value is from, by its dotted key such as ``"clock.f_mhz"``.
    """

    meta: Meta
    clock: Clock
    core: Core
    memory: Memories
    band: Bands
    sources: Mapping[str, str]
    process: Process | None = None
    arithmetic: Arithmetic | None = None
    events: Events | None = None
    power: Power | None = None
    fabric: Fabric | None = None
    off_chip: OffChip | None = None
    cycles: Cycles | None = None
    program: Program | None = None
    pipeline: Pipeline | None = None
    column: Column | None = None
    area: Area | None = None
    controller: Controller | None = None

    def __str__(self) -> str:
        return f"{self.meta.name}, {self.meta.description}"

    @property
    def timed(self) -> bool:
        """Whether anything is known of time."""
        return self.cycles is not None or self.pipeline is not None

    @property
    def remembered(self) -> list[str]:
        """Keys of values that are only remembered: their source could not be read."""
        return [key for key, source in self.sources.items() if source.startswith("[R]")]
