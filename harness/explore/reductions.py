"""Reductions: what a search leaves out or puts off because something like it was tried. Each can be switched off.

tests/explore/test_reductions.py compares searches with all of them against brute force.
"""

from __future__ import annotations

from typing import Final

UNRELATED: Final = "unrelated agents"
"""Agents whose failure and whose lateness change nothing else are tried last, and together with others all at once."""

SAME_STORY: Final = "same story"
"""Pairs are made of deviations that each changed what the program did or the order of its calls, and not of all."""

REDUCTIONS: Final = frozenset({UNRELATED, SAME_STORY})
"""All of them."""
