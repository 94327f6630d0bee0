"""What did a layer do? Counted by the backend that ran it, never estimated and never derived from sums."""

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Activity:
    """Counts of one layer, each a sum over the presentations of a run.

    The order of the fields is that of the places in which kernels count
    (`fspinn.backends.numba.constants_kernels`).
    """

    samples: int = 0
    """Presentations."""
    steps: int = 0
    """Time steps that were computed, at all positions."""
    active_steps: int = 0
    """Those in which an input spiked that the position sees."""
    positions: int = 0
    """Positions of the field that were computed; one a presentation where a neuron sees the whole input."""
    input_spikes: int = 0
    """Spikes of all inputs in use."""
    output_spikes: int = 0
    """Spikes of all neurons."""
    synaptic_additions: int = 0
    """Weights added to a potential (SynOps)."""
    neuron_updates: int = 0
    """Leak-and-compare operations on a neuron, the inhibitory neurons of a layer included."""
    rows_read: int = 0
    """Rows of weights that were added to the potentials of all neurons."""
    weights_read: int = 0
    """Single weights that were added to one potential, while inhibition held all others."""
    columns_written: int = 0
    """How often learning changed all weights of a neuron."""
    rows_written: int = 0
    """How often learning changed all weights of an input."""
    windows: int = 0
    """Learning windows that ended."""
    threshold_passes: int = 0
    """How often adaptation wrote the thresholds of all neurons."""
    thresholds_written: int = 0
    """How often it wrote a single one."""
    normalisations: int = 0
    """How often all weights were normalised."""
    decays: int = 0
    """How often all weights decayed."""

    def __add__(self, other: "Activity") -> "Activity":
        return Activity(*(a + b for a, b in zip(self.as_tuple(), other.as_tuple(), strict=True)))

    def as_tuple(self) -> tuple[int, ...]:
        """Return the counts in the order of the fields."""
        return tuple(getattr(self, f.name) for f in fields(self))

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    def per_sample(self, name: str) -> float:
        """Return a count divided by the number of presentations."""
        return float(getattr(self, name)) / max(self.samples, 1)
