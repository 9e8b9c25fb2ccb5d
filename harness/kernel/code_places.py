"""Folders of code that is not the program's: harness, the standard library, and installed packages."""

from __future__ import annotations

import asyncio
import sysconfig
from pathlib import Path
from typing import Final

ASYNCIO: Final = str(Path(asyncio.__file__).parent)
OURS: Final = str(Path(__file__).parents[1])
PROGRAM_START: Final = str(Path(__file__).parents[1] / "virtual" / "world.py")
"""The file that calls programs."""
PACKAGES: Final = (
    OURS,
    *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
)
"""All of them, to be compared with the beginnings of file names."""
