"""Random values: each is drawn by a key that names its purpose.

Read `draws.py` (keyed draws), then `distributions.py` (what a scenario may state) and `arrivals.py` (when tasks come). Two
versions of a program that draw by the same keys meet the same luck, so that what differs between them is the change.
"""

from __future__ import annotations

from harness.chance.draws import Draws

__all__ = ["Draws"]
