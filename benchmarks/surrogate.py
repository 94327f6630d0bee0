"""How fast do surrogate gradients train? One epoch of 784-200-10, 10 time steps, beside snnTorch.

    python benchmarks/surrogate.py [PART ...] [--write]

60,000 images of MNIST, batches of 128, Adam 0.001, atan, beta 0.9, cross entropy of the output spikes, one
core and one thread of torch, all in the same run. Needs torch and snnTorch.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from tables import Results, machines, run, table

import fspinn
from fspinn.base.randomness import ORDER, permutation, stream_key
from fspinn.learning.training import learn
from fspinn.network import Network, Surrogate

PARTS = ("epoch",)
STEPS, BETA, BATCH, RATE = 10, 0.9, 128, 0.001

WAYS = {
    "fspinn, its neurons": "the same current in each step",
    "snnTorch, a loop over steps": "the same current in each step",
    "snnTorch, linear layers over all steps": "the same current in each step",
    "fspinn, its learner": "first spikes, encoding included",
}


def measure(part: str) -> dict[str, Any]:
    """The least of three runs of processor time, so that what else runs on the machine counts little."""
    import snntorch
    import torch

    torch.set_num_threads(1)
    data = fspinn.datasets.load("mnist", validation=0)
    found: dict[str, dict[str, float]] = {}
    for name in WAYS:
        learn_once = _learner if name == "fspinn, its learner" else _by(name)
        first = replace(data, train=data.train.first(1000))
        learn_once(first)  # compiles
        seconds, accuracy = [], 0.0
        for _ in range(3):
            taken, accuracy = learn_once(data)
            seconds.append(taken)
        found[name] = {"seconds": min(seconds), "accuracy": accuracy}
    return {
        "seeds": (0,),
        "ways": found,
        "torch": torch.__version__,
        "snntorch": getattr(snntorch, "__version__", "1.0.0"),
    }


def _batches(count: int) -> Iterator[np.ndarray[Any, Any]]:
    order = permutation(stream_key(0, ORDER), count)
    for start in range(0, count, BATCH):
        yield order[start : start + BATCH]


def _learner(data: fspinn.datasets.Dataset) -> tuple[float, float]:
    """Return the seconds of one epoch with `fspinn.Surrogate`, and its accuracy on test images."""
    network = Network.supervised((200, 10), beta=BETA, duration_ms=STEPS)
    learner = Surrogate("atan", passes=1, gradient_rate=RATE, output="spikes")
    started = time.process_time()
    learned = learn(network, data, learner, progress=False)
    seconds = time.process_time() - started
    (model,) = fspinn.learning.fitting.fit_readouts(learned, data, ("majority",), threads=1)
    return seconds, fspinn.evaluate(model, data.test).accuracy


def _by(name: str) -> Callable[[fspinn.datasets.Dataset], tuple[float, float]]:
    """Return what trains the same network in one of three ways, and measures it on test images."""
    import snntorch
    import torch
    from snntorch import surrogate

    from fspinn.learning.surrogate.lif import Neurons, lif

    neurons = Neurons(BETA, 1.0, "atan")

    def answer(layers: Any, images: Any) -> Any:
        first, second, leaky = layers
        if name == "fspinn, its neurons":
            spikes, _ = lif(first(images)[None], neurons, STEPS)
            return lif(second(spikes), neurons)[0].sum(dim=0)
        if name == "snnTorch, a loop over steps":
            membranes, counts = [one.init_leaky() for one in leaky], 0
            for _ in range(STEPS):
                spikes, membranes[0] = leaky[0](first(images), membranes[0])
                spikes, membranes[1] = leaky[1](second(spikes), membranes[1])
                counts = counts + spikes
            return counts
        currents = first(images)
        return _all_steps(leaky[1], second(_all_steps(leaky[0], [currents] * STEPS))).sum(dim=0)

    def _all_steps(one: Any, currents: Any) -> Any:
        membrane, found = one.init_leaky(), []
        for current in currents:
            spikes, membrane = one(current, membrane)
            found.append(spikes)
        return torch.stack(found)

    def train(data: fspinn.datasets.Dataset) -> tuple[float, float]:
        torch.manual_seed(0)
        layers = [torch.nn.Linear(784, 200), torch.nn.Linear(200, 10)]
        leaky = [snntorch.Leaky(beta=BETA, spike_grad=surrogate.atan(2.0), reset_delay=False) for _ in layers]
        parameters = [one for layer in layers for one in layer.parameters()]
        solver = torch.optim.Adam(parameters, lr=RATE, fused=True)
        images = torch.from_numpy(data.train.images.reshape(-1, 784).astype(np.float32) / 255)
        labels = torch.from_numpy(data.train.labels.astype(np.int64))
        started = time.process_time()
        for chosen in _batches(len(images)):
            loss = torch.nn.functional.cross_entropy(answer((*layers, leaky), images[chosen]), labels[chosen])
            solver.zero_grad()
            loss.backward()
            solver.step()
        seconds = time.process_time() - started
        asked = torch.from_numpy(data.test.images.reshape(-1, 784).astype(np.float32) / 255)
        with torch.no_grad():
            found = answer((*layers, leaky), asked).argmax(dim=1).numpy()
        return seconds, float((found == data.test.labels).mean())

    return train


def render(results: Results) -> str:
    epoch = results["epoch"]
    rows = [
        (name, WAYS[name], f"{found['seconds']:.1f} s", f"{found['accuracy']:.1%}")
        for name, found in epoch["ways"].items()
    ]
    fspinn_s, loop_s, whole_s = (epoch["ways"][name]["seconds"] for name in list(WAYS)[:3])
    return "\n\n".join(
        [
            table(["784-200-10, 10 time steps", "input", "an epoch", "test images then"], rows),
            f"snnTorch {epoch['snntorch']} takes {loop_s / fspinn_s:.1f} times as long step by step and "
            f"{whole_s / fspinn_s:.1f} times with its linear layers over all steps, with the same solver "
            f"(torch {epoch['torch']}), batches and surrogate. Processor time of one core, the least of "
            f"three runs. {machines(results)}.",
        ]
    )


if __name__ == "__main__":
    run("surrogate", PARTS, measure, render)
