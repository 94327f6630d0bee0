"""Recordings of an event camera that never was, and their plain twin."""

import numpy as np

from fspinn.datasets import Recordings

HEIGHT, WIDTH = 5, 6


def drawn(count=6, events=60, last_us=9000, seed=0):
    """Recordings of up to so many events each; the second has none."""
    random = np.random.default_rng(seed)
    counts = random.integers(events // 2, events + 1, count)
    counts[1:2] = 0
    total = int(counts.sum())
    offsets = np.concatenate([[0], np.cumsum(counts)])
    times = [np.sort(random.integers(0, last_us, some)) for some in counts]
    x, y, p = (random.integers(0, most, total) for most in (WIDTH, HEIGHT, 2))
    return Recordings(x, y, p, np.concatenate(times), offsets, HEIGHT, WIDTH)


def halves(count=40, seed=0):
    """Recordings of two classes, with their labels: something moves in the left half, or in the right."""
    labels = np.arange(count) % 2
    random = np.random.default_rng(seed)
    x = random.integers(0, 3, (count, 50)) + 3 * labels[:, None]
    y, p = random.integers(0, HEIGHT, (count, 50)), random.integers(0, 2, (count, 50))
    times = np.sort(random.integers(0, 9000, (count, 50)), axis=1)
    arrays = {name: values.ravel() for name, values in {"x": x, "y": y, "p": p, "t": times}.items()}
    return {
        **arrays,
        "offsets": 50 * np.arange(count + 1),
        "labels": labels,
        "height": HEIGHT,
        "width": WIDTH,
    }


def recordings_of(arrays):
    return Recordings(*(arrays[name] for name in ("x", "y", "p", "t", "offsets", "height", "width")))


def per_step(recordings, number, steps, step_us):
    """For each step the inputs of one recording that spike: those with an event in it."""
    found = [set() for _ in range(steps)]
    for event in range(recordings.offsets[number], recordings.offsets[number + 1]):
        step = int(recordings.t_us[event]) // step_us
        if step < steps:
            pixel = int(recordings.y[event]) * recordings.width + int(recordings.x[event])
            found[step].add(2 * pixel + int(recordings.p[event]))
    return [sorted(inputs) for inputs in found]
