"""Which settings make a given network accurate?"""

from fspinn.tuning.halving import tune
from fspinn.tuning.result import TuningResult, TuningTrial, write_config

__all__ = ["TuningResult", "TuningTrial", "tune", "write_config"]
