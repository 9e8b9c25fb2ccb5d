"""Strategies: what to try next. Each is a file beside its siblings; `singles.py` is the plainest.

A strategy is a generator of sets of deviations. It looks at what the search knows by then, and yields None when it has nothing to
propose for now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from harness.explore.deviation import Deviations
from harness.explore.search import AGAIN, Search
from harness.explore.strategies.again import again
from harness.explore.strategies.cancel import cancel
from harness.explore.strategies.deep import deep
from harness.explore.strategies.dense import dense
from harness.explore.strategies.down import down
from harness.explore.strategies.follow import follow
from harness.explore.strategies.heal import heal
from harness.explore.strategies.instants import instant
from harness.explore.strategies.mishaps import mishaps
from harness.explore.strategies.pairs import pairs
from harness.explore.strategies.races import aside, race
from harness.explore.strategies.rebase import rebase
from harness.explore.strategies.singles import fail, other, transient
from harness.explore.strategies.slow import slow
from harness.explore.strategies.threads import threads
from harness.explore.strategies.ties import ties
from harness.explore.strategies.tools import tools
from harness.explore.strategies.under import under
from harness.explore.strategies.widely import widely

Strategy = Callable[[Search], Iterator[Deviations | None]]

STRATEGIES: Mapping[str, Strategy] = {
    "ties": ties,
    "threads": threads,
    "dense": dense,
    "down": down,
    "heal": heal,
    "slow": slow,
    "fail": fail,
    "other": other,
    "transient": transient,
    "widely": widely,
    "race": race,
    AGAIN: again,
    "aside": aside,
    "instant": instant,
    "cancel": cancel,
    "tools": tools,
    "mishaps": mishaps,
    "follow": follow,
    "under": under,
    "pairs": pairs,
    "rebase": rebase,
    "deep": deep,
}
"""All strategies by name."""
