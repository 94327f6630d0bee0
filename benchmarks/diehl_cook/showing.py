"""Show images to a published network: all in one simulation, or each until it has enough output spikes."""

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import fspinn
from fspinn.backends.brian2.simulation import brian2_for
from fspinn.base.randomness import INFERENCE_SPIKES, TRAINING_SPIKES, stream_key
from fspinn.network import Unscaled
from fspinn.network.encoders import input_spikes

if TYPE_CHECKING:
    import brian2

REPEATED_SPIKES = 12
"""What random numbers are for, beside the purposes of `fspinn.base.randomness`."""


class Published:
    """Base of published networks: frozen dataclasses of their numbers, which build objects of Brian2."""

    neurons: int
    passes: int
    dt_ms: float
    duration_ms: float
    rest_ms: float
    max_rate_hz: float
    least_spikes: int
    rate_step_hz: float
    weight_sum: float

    @property
    def steps(self) -> int:
        """Time steps of one showing of an image."""
        return round(self.duration_ms / self.dt_ms)

    @property
    def all_steps(self) -> int:
        """The same with those without input that follow."""
        return self.steps + round(self.rest_ms / self.dt_ms)

    def names(self) -> dict[str, Any]:
        """Return what names in equations stand for: fields without their unit, and times in steps as well."""
        import brian2

        names: dict[str, Any] = {}
        for field, value in asdict(self).items():  # type: ignore[call-overload]
            name, _, unit = field.rpartition("_")
            if unit == "mv":
                names[name] = value * brian2.mV
            elif unit == "ms":
                names[name] = value * brian2.ms
                names[f"{name}_steps"] = round(value / self.dt_ms)
            else:
                names[field] = value
        del names["dt"]  # Brian2's own
        return {**names, "steps": self.all_steps}

    def build(self, n_inputs: int, *, learning: bool) -> "brian2.Network":
        """Return a network with the objects ``images``, ``neurons``, ``weights`` and ``output_spikes``.

        The variable of neurons that learns is ``theta``, that of weights ``w``.
        """
        raise NotImplementedError


def plastic(
    images: "brian2.SpikeGeneratorGroup",
    neurons: "brian2.NeuronGroup",
    equations: str,
    on_pre: str,
    on_post: str,
    traces: str,
    names: dict[str, Any],
) -> "brian2.Synapses":
    """Return synapses that learn; after each image traces become 0 and each neuron's weights are rescaled.

    `neurons` have the event ``image_ends`` and a variable ``size``, which is 0 before it.
    """
    import brian2

    at_the_end = {
        "measured": "size_post += w",
        "rescaled": "w = clip(w*weight_sum/(size_post + int(size_post == 0)), 0, 1)",
        "forgotten": traces,
    }
    synapses = brian2.Synapses(
        images,
        neurons,
        equations,
        on_pre=on_pre,
        on_post={"post": on_post, **at_the_end},
        on_event={"pre": "spike", "post": "spike", **dict.fromkeys(at_the_end, "image_ends")},
        clock=neurons.clock,
        namespace=names,
        name="weights",
    )
    for order, name in enumerate(at_the_end, start=1):
        getattr(synapses, name).when, getattr(synapses, name).order = "end", order
    return synapses


@dataclass(frozen=True, eq=False)
class Shown:
    """What a simulation did.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_inputs, n_neurons)
    theta : ndarray of float64, shape (n_neurons,)
    spike_counts : ndarray of int64, shape (n, n_neurons)
        Output spikes of the last showing of each image, without those of the rest that follows.
    showings, output_spikes : int
        All of them.
    run_s : float
        Processor seconds from the first time step to the last; where images are shown again, with what Brian2
        prepares before each showing.
    """

    weights: NDArray[np.float64]
    theta: NDArray[np.float64]
    spike_counts: NDArray[np.int64]
    showings: int
    output_spikes: int
    run_s: float


def show(
    published: Published,
    weights: NDArray[np.float64],
    theta: NDArray[np.float64],
    images: NDArray[np.uint8],
    *,
    learning: bool,
    seed: int,
    first: int,
    target: str,
) -> Shown:
    """Show images, one after the other; the arguments stay as they are.

    Parameters
    ----------
    published : Published
    weights : ndarray of float64, shape (n_inputs, n_neurons)
    theta : ndarray of float64, shape (n_neurons,)
    images : ndarray of uint8, shape (n, height, width)
    learning : bool
    seed, first : int
        Fix the input spikes; `first` is the number of the first presentation of the run.
    target : {"numpy", "cython", "cpp_standalone"}
        What Brian2 makes of the equations.
    """
    if target == "cpp_standalone" and published.least_spikes > 0:
        raise SystemExit("a stand-alone program cannot show images again: use cython, or least_spikes = 0")
    purpose = TRAINING_SPIKES if learning else INFERENCE_SPIKES
    keys = [(seed, purpose, first + number) for number in range(len(images))]
    with brian2_for(target) as folder:
        network = published.build(len(weights), learning=learning)
        network["neurons"].theta = theta
        network["weights"].w = weights.reshape(-1)
        if published.least_spikes > 0:
            shown, run_s = _until_answered(published, network, images, keys)
        else:
            shown, run_s = _once(published, network, images, keys, folder)
        showing, steps, neurons = _output_spikes(published, network)
        is_last = np.append(np.diff(shown) > 0, True)
        counted = is_last[showing] & (steps < published.steps)
        spike_counts = np.zeros((len(images), published.neurons), dtype=np.int64)
        np.add.at(spike_counts, (shown[showing[counted]], neurons[counted]), 1)
        return Shown(
            weights=np.array(network["weights"].w).reshape(weights.shape),
            theta=np.array(network["neurons"].theta),
            spike_counts=spike_counts,
            showings=len(shown),
            output_spikes=len(neurons),
            run_s=run_s,
        )


Key = tuple[int, int, int]


def _once(
    published: Published,
    network: "brian2.Network",
    images: NDArray[np.uint8],
    keys: list[Key],
    folder: str | None,
) -> tuple[NDArray[np.int64], float]:
    """Show each image once; return which image each showing was of, and the seconds."""
    import brian2

    steps, inputs = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for number, (image, key) in enumerate(zip(images, keys, strict=True)):
        in_image, those = spikes_of(published, image, key)
        steps.append(in_image + number * published.all_steps)
        inputs.append(those)
    dt = published.dt_ms * brian2.ms
    network["images"].set_spikes(np.concatenate(inputs), np.concatenate(steps) * dt, sorted=True)
    seconds: list[float] = []

    def report(*_: object) -> None:
        """Brian2 calls this before the first and after the last step, when all has been compiled."""
        seconds.append(time.process_time())

    duration = len(images) * published.all_steps * dt
    if folder is None:
        network.run(duration, namespace={}, report=report, report_period=np.inf * brian2.second)
        run_s = seconds[-1] - seconds[0]
    else:
        network.run(duration, namespace={})
        brian2.device.build(directory=folder, with_output=False)
        run_s = brian2.device._last_run_time  # of std::clock, which counts processor seconds
    return np.arange(len(images)), run_s


def _until_answered(
    published: Published, network: "brian2.Network", images: NDArray[np.uint8], keys: list[Key]
) -> tuple[NDArray[np.int64], float]:
    """Show each image until it has enough output spikes, or cannot be brighter; return what `_once` does."""
    import brian2

    dt = published.dt_ms * brian2.ms
    shown: list[int] = []
    started = time.process_time()
    for number, (image, key) in enumerate(zip(images, keys, strict=True)):
        repeated, rate_hz = 0, published.max_rate_hz
        while True:
            before = len(network["output_spikes"].t)
            steps, inputs = spikes_of(published, image, key, rate_hz)
            network["images"].set_spikes(inputs, (len(shown) * published.all_steps + steps) * dt, sorted=True)
            network.run(published.all_steps * dt, namespace={})
            shown.append(number)
            _, answered, _ = _output_spikes(published, network, before)
            enough = np.count_nonzero(answered < published.steps) >= published.least_spikes
            if enough or rate_hz >= 1000.0 / published.dt_ms:  # white pixels spiked in every step
                break
            repeated += 1
            rate_hz = published.max_rate_hz + repeated * published.rate_step_hz
            key = stream_key(*keys[number]), REPEATED_SPIKES, repeated
    return np.array(shown, dtype=np.int64), time.process_time() - started


def spikes_of(
    published: Published, image: NDArray[np.uint8], key: Key, rate_hz: float | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return step and input of each spike: rates in proportion to pixels, a white one has `rate_hz`."""
    encoding = fspinn.Network(
        Unscaled(published.max_rate_hz if rate_hz is None else rate_hz),
        dt_ms=published.dt_ms,
        duration_ms=published.duration_ms,
    )
    return input_spikes(encoding, image, *key).events


def _output_spikes(
    published: Published, network: "brian2.Network", first: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return showing, step in it, and neuron of output spikes, from number `first` on."""
    import brian2

    monitor = network["output_spikes"]
    steps = np.rint(np.asarray(monitor.t[first:] / (published.dt_ms * brian2.ms))).astype(np.int64)
    showings, steps = np.divmod(steps, published.all_steps)
    return showings, steps, np.array(monitor.i[first:], dtype=np.int64)
