"""The project that is tested, where it is installed as a wheel: its packages are the program, and no library."""

from __future__ import annotations

import functools
import importlib.metadata
import tomllib
from pathlib import Path

from harness.virtual.own_modules import count_as_own


@functools.cache
def count_project_as_own(root: Path) -> None:
    """Count what the distribution of the project installed as the program's own.

    Args:
        root: The folder of the project, whose `pyproject.toml` names it.
    """
    try:
        stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        name = stated["project"]["name"]
        installed = importlib.metadata.files(name) or []
    except (OSError, ValueError, TypeError, KeyError, importlib.metadata.PackageNotFoundError):
        return
    for top in sorted({file.parts[0].removesuffix(".py") for file in installed}):
        if top.isidentifier() and not top.startswith("__"):
            count_as_own(top)
