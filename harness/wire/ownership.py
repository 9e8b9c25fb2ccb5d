"""Connections are bound to the event loop that opened them.

asyncio's transports are registered with their loop. A client that is used in a second `asyncio.run` finds in its pool a
connection of the first: what it writes still reaches the server, and what it wants to read has no loop to come by. These are
the errors that production raises at that point (asyncio's loop, and the `asyncio.Event` on which anyio waits).
"""

from __future__ import annotations

import asyncio

from harness.kernel.kernel import Kernel
from harness.kernel.loop import running
from harness.kernel.process import Process, Steps
from harness.wire.http import Connection


def refuse_closed(owner: asyncio.AbstractEventLoop) -> None:
    """Make sure that the loop of a connection still runs callbacks.

    Raises:
        RuntimeError: It is closed.
    """
    if owner.is_closed():
        raise RuntimeError("Event loop is closed")


def refuse_other_loop(owner: asyncio.AbstractEventLoop) -> None:
    """Make sure that who waits for a connection's data runs on the loop that opened the connection.

    Raises:
        RuntimeError: Another loop runs.
    """
    if owner is not running.loop:
        refuse_closed(owner)
        # Without the address, which would differ from run to run.
        raise RuntimeError(
            "<asyncio.locks.Event object [unset]> is bound to a different event loop"
        )


def abandon(connection: Connection, kernel: Kernel) -> None:
    """Let go of a connection in another loop than its own: its socket is closed later, by its own or when it is collected.

    By then the server has got what was written, and begun to work on it.
    """

    def hang_up() -> Steps:
        connection.hang_up()
        return
        yield  # which makes it a generator

    Process(kernel, hang_up())
