"""What does a person look at? Pictures of searches, networks and answers, as matplotlib figures."""

from fspinn.report.plots.answers import confusion_matrix, spike_raster
from fspinn.report.plots.candidates import accuracy_against_memory
from fspinn.report.plots.networks import learning_curve, receptive_fields, thresholds
from fspinn.report.plots.saving import save

__all__ = [
    "accuracy_against_memory",
    "confusion_matrix",
    "learning_curve",
    "receptive_fields",
    "save",
    "spike_raster",
    "thresholds",
]
