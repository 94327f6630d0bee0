"""Which network is the smallest that will do?

A **space** says what there is to choose from: each setting of a network, and each thing that can be made of a
trained one, is fixed, listed or ranged (`space`). A **candidate** is one network with one **variant** of
formats, rounding, pruning and readout (`candidates`). **Constraints** are the least accuracy (or
balanced accuracy, or macro F1: `metrics`) and the greatest costs (`constraints`); what a candidate costs is
expected before, and counted after it was trained (`costs`): those that cannot be are
never trained.

A **job** trains one network with one seed and measures all its variants (`jobs`): a network trained once
serves every width and readout. A **strategy** is asked for jobs and told their results:

- `ladder`: listed settings only; the cheapest network first, until none that is left can be cheaper than one
  that meets the accuracy.
- `bayes`: draws networks with one of Optuna's samplers, accuracy against all costs that should be little.
- `halving`: draws many networks, trains them on few samples, and only the best on more; one objective.

**Workers** do the jobs, in this process, in processes beside it, or on a Dask cluster (`execution`), and
find the images in their own cache. The **journal** keeps every result in a file before anyone is told of it
(`journal`), so that the same search goes on after a kill. The **ledger** has one **trial** for each
candidate, with its **outcome**, and says which is the best (`ledger`, `trial`). `smallest` puts it together:
the strategy's best candidate becomes the answer if it meets the target with several seeds as well
(`finalists`); if not, the strategy goes on. The **certificate** says how far the next cheaper ones fell short
(`certificate`). **Baselines** are classifiers without spikes (`linear`, `perceptron`, what they share in
`baselines`), and `worth` says whether the answer is better than they are. `result` writes it all down.

More searches run on the same workers: `tune` looks for the settings of a network of a given size, `sweep`
measures a grid of settings (what came out is `swept`), and `formats` looks for the narrowest formats of a
network that is trained.
"""

from fspinn.search.candidates import Candidate, Variant
from fspinn.search.constraints import Constraints
from fspinn.search.costs import Cost
from fspinn.search.quantities import parse_memory
from fspinn.search.result import SearchResult, save_result
from fspinn.search.smallest import find_smallest
from fspinn.search.space import Range, Space, read_space
from fspinn.search.trial import Outcome, Trial

__all__ = [
    "Candidate",
    "Constraints",
    "Cost",
    "Outcome",
    "Range",
    "SearchResult",
    "Space",
    "Trial",
    "Variant",
    "find_smallest",
    "parse_memory",
    "read_space",
    "save_result",
]
