"""Which network is the smallest that will do?"""

from fspinn.search.ladder import find_smallest
from fspinn.search.result import SearchResult, Trial, save_result
from fspinn.search.space import Candidate, candidates, parse_memory

__all__ = [
    "Candidate",
    "SearchResult",
    "Trial",
    "candidates",
    "find_smallest",
    "parse_memory",
    "save_result",
]
