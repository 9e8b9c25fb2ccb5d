"""Garbage collection at fixed turns while a world is open, instead of by memory use.

Finalizers and weak references run when garbage is found. Python looks for it by the number of objects, which differs
from process to process.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from harness.kernel.shared_patch import SharedChange

_FROZEN_BY_PYTHON = 1_000
"""Python 3.12 freezes a few hundred objects of its own at its start; a program that freezes its heap has far more."""


@contextmanager
def _frozen_heap() -> Iterator[None]:
    freeze = gc.get_freeze_count() < _FROZEN_BY_PYTHON
    if freeze:
        gc.freeze()
    try:
        yield
    finally:
        if freeze:
            gc.unfreeze()


frozen_heap = SharedChange(_frozen_heap)
"""Context manager: garbage is not looked for among what was there before."""


@contextmanager
def no_collections() -> Iterator[None]:
    """Context manager: garbage is looked for only by hand, and not among what was there before.

    What was there before is frozen: an SDK brings a million objects, and to look through them takes 60 ms.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        with frozen_heap():
            yield
    finally:
        if was_on:
            gc.enable()
