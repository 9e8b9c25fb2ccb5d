"""Reductions: what a search leaves out or puts off because something like it was tried. Each can be switched off.

tests/explore/test_reductions.py and test_pair_classes.py compare searches with all of them against brute force.
"""

from __future__ import annotations

from typing import Final

UNRELATED: Final = "unrelated agents"
"""Agents whose failure and whose lateness change nothing else are tried last, and together with others all at once."""

SAME_STORY: Final = "same story"
"""Of single deviations after which the program makes the same requests and comes to the same output, one is taken for pairs: what
consumes the replies is in the same state. Those that changed nothing but times are taken if they changed the order of calls."""

OUTCOMES: Final = "outcomes"
"""Of faults of one call that the program does not tell apart, such as 500 and 529, one is taken for pairs."""

SIBLINGS: Final = "siblings"
"""Of pairs that differ only in which of several tasks of one kind they are about, one is tried."""

SUPPORTS: Final = "supports"
"""No fault is added at a call that the good outcome under the first fault does not rest on, because it is not made then."""

REDUCTIONS: Final = frozenset({UNRELATED, SAME_STORY, OUTCOMES, SIBLINGS, SUPPORTS})
"""All of them."""
