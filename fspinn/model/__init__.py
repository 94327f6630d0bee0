"""What came out of learning? A model, its readout, what was counted, and the file that keeps it."""

from fspinn.model.activity import Activity
from fspinn.model.model import Model
from fspinn.model.store import load, save

__all__ = ["Activity", "Model", "load", "save"]
