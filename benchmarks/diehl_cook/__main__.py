"""The command line: ``python benchmarks/diehl_cook -h``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from diehl_cook.learning import main

main()
