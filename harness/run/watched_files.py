"""Files that a program writes in a run, from the interpreter's audit events."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.kernel.current_world import this_thread


@contextmanager
def files_written() -> Iterator[set[str]]:
    """Gives the files that runs open to write while inside. The hook stays in the process, so enter it once."""
    written: set[str] = set()

    def notice(event: str, arguments: tuple[Any, ...]) -> None:
        if this_thread.world is None:
            return
        if event == "open" and isinstance(arguments[0], str):
            path, _, flags = arguments
            if (
                flags & (os.O_WRONLY | os.O_RDWR)
                and path != os.devnull
                and "__pycache__" not in path
            ):
                written.add(path)
        elif event == "sqlite3.connect" and arguments[0] != ":memory:":
            written.add(str(arguments[0]))

    sys.addaudithook(notice)
    yield written
