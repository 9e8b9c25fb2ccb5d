"""Stand-ins installed from the start, so that every imported module keeps them and not the originals.

Outside of a run they do what the originals do. What keeps a function where no search comes to it, such as the local
variable of a generator or a validator that was compiled, keeps the stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.virtual.clocks import virtual_datetime
from harness.virtual.entropy import unseeded_generators_noted
from harness.virtual.patching import in_all_modules
from harness.virtual.world import stand_ins


@contextmanager
def imports_find_stand_ins() -> Iterator[None]:
    """Context manager: modules that are imported find stand-ins where the originals are."""
    with in_all_modules(stand_ins()), virtual_datetime(), unseeded_generators_noted():
        yield
