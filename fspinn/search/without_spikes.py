"""What does the job take without spikes, and which linear classifier would do it?"""

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from fspinn.base.errors import FspinnWarning
from fspinn.datasets.events import Recordings
from fspinn.datasets.origin import origin
from fspinn.memmodel import Hardware
from fspinn.model.features import Features
from fspinn.model.linear import LinearClassifier
from fspinn.search.baselines import Baseline, Samples
from fspinn.search.constraints import Constraints
from fspinn.search.linear import linear_classifiers
from fspinn.search.perceptron import wide_enough
from fspinn.search.worth import linear_choice

if TYPE_CHECKING:
    from fspinn.datasets import Dataset


def baselines_of(
    data: "Dataset",
    hardware: Hardware,
    constraints: Constraints,
    most_bits: float,
    *,
    labels: int | None,
    class_weight: str | None,
    seed: int,
) -> tuple[Baseline, ...]:
    """Return what it takes without spikes, with the same labels; nothing, with a warning, if that fails."""
    how: dict[str, Any] = {"class_weight": class_weight, "metric": constraints.metric, "hardware": hardware}
    try:
        with threadpool_limits(1):
            samples = Samples.of(data, labels, seed)
            linear = linear_classifiers(samples, seed=seed, **how)
            return (
                *linear,
                *wide_enough(
                    samples, constraints.accuracy, constraints.confidence, most_bits, seed=seed, **how
                ),
            )
    except (
        MemoryError,
        ArithmeticError,
        ValueError,
    ) as error:  # an answer of hours stays
        words = str(error) or type(error).__name__
        warnings.warn(f"no classifier without spikes could be fitted ({words})", FspinnWarning, stacklevel=3)
        return ()


def classifier_of(
    data: "Dataset",
    constraints: Constraints,
    minimized: str,
    baselines: Sequence[Baseline],
    labels: int | None,
    seed: int,
) -> LinearClassifier | None:
    """Return the linear classifier that will do, if there is one; of recordings of events none is made."""
    if isinstance(data.train.images, Recordings):
        return None
    plain = [one.as_dict(constraints.confidence) for one in baselines]
    chosen = linear_choice(plain, asdict(constraints), constraints.accuracy, minimized)
    if chosen is None:
        return None
    found = baselines[chosen]
    assert found.table is not None
    features = None
    if data.train.features is not None:
        features = Features.fitted(data.feature_names, data.train.features)
    record = {
        "dataset": origin(data),
        "labels": labels,
        "seed": seed,
        "metric": found.metric,
        "validation_accuracy": found.accuracy,
    }
    return LinearClassifier(
        found.table, data.image_shape, tuple(data.class_names), data.scale, features, record
    )
