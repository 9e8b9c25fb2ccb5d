"""Begins the recording in a Python process that `harness record` has started; its folder stands first in PYTHONPATH."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys


def _begin() -> None:
    try:
        from harness.recording.bootstrap import begin
    except ImportError as error:
        sys.stderr.write(
            f"harness record: {sys.executable} cannot import harness, and is not recorded: {error}\n"
        )
        return
    begin()


def _other_sitecustomize() -> None:
    """Run the one that this one hides."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - nothing more is imported in every process
    others = [each for each in sys.path if os.path.abspath(each or ".") != here]  # noqa: PTH100 - see above
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


with contextlib.suppress(ImportError):
    _other_sitecustomize()
if os.environ.get("HARNESS_RECORD"):
    _begin()
