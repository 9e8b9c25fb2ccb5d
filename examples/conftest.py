"""Makes the projects importable when pytest runs all of them together; alone, each has its own `pyproject.toml`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [
    str(config.parent) for config in sorted(Path(__file__).parent.glob("*/pyproject.toml"))
]
