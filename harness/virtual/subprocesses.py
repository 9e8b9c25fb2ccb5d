"""asyncio subprocesses over simulated processes: own transports, asyncio's streams and protocols."""

from __future__ import annotations

import asyncio
import subprocess
from asyncio.base_subprocess import BaseSubprocessTransport
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.kernel.current_world import this_thread
from harness.kernel.loop import SimLoop
from harness.virtual.pipes import ReadEnd, WriteEnd

_CHUNK_BYTES = 256 * 1024
"""How much asyncio reads from a pipe at once."""


class ProcessTransport(BaseSubprocessTransport):
    """A simulated process, as `loop.subprocess_exec` gives it."""

    _loop: SimLoop

    def _start(
        self,
        args: Any,  # noqa: ANN401 - as Popen
        shell: bool,  # noqa: FBT001 - as asyncio calls it
        stdin: Any,  # noqa: ANN401 - as Popen
        stdout: Any,  # noqa: ANN401 - as Popen
        stderr: Any,  # noqa: ANN401 - as Popen
        bufsize: int,
        **kwargs: Any,  # noqa: ANN401 - as Popen
    ) -> None:
        loop = self._loop
        self._proc = subprocess.Popen(  # noqa: S603 - nothing is started
            args,
            shell=shell,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=bufsize,
            **kwargs,
        )
        world = this_thread.world
        assert world is not None, "a loop of a program runs in its world"
        child = world.children[self._proc.pid]

        def ended() -> None:
            if not loop.is_closed():
                assert child.returncode is not None
                loop.call_soon(self._process_exited, child.returncode)

        child.when_it_ends.append(ended)

    def __del__(self) -> None:
        """No complaint about one that a run has left behind: when it comes would depend on the garbage collector."""


class ReadTransport(asyncio.ReadTransport):
    """From a simulated process to a protocol.

    Args:
        loop: Calls the protocol.
        end: Where to read.
        protocol: What is told.
    """

    def __init__(self, loop: SimLoop, end: ReadEnd, protocol: asyncio.Protocol) -> None:
        super().__init__({"pipe": end})
        self._loop, self._end, self._protocol = loop, end, protocol
        self._paused = self._closing = False
        end.pipe.changed = self._later
        loop.call_soon(protocol.connection_made, self)
        self._later()

    def pause_reading(self) -> None:
        """Pause reading."""
        self._paused = True

    def resume_reading(self) -> None:
        """Go on."""
        if self._paused:
            self._paused = False
            self._later()

    def is_reading(self) -> bool:
        """Whether the protocol is given what comes."""
        return not self._paused and not self._closing

    def is_closing(self) -> bool:
        """Whether it has come to its end."""
        return self._closing

    def close(self) -> None:
        """Read no more."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def _later(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        pipe = self._end.pipe
        if not self.is_reading():
            return
        data = pipe.take(_CHUNK_BYTES)
        if data:
            self._protocol.data_received(data)
            self._later()
        elif pipe.ended:
            self._protocol.eof_received()
            self.close()


class WriteTransport(asyncio.WriteTransport):
    """From a program to a simulated process.

    Args:
        loop: Calls the protocol.
        end: Where to write.
        protocol: Told when the process has ended.
    """

    def __init__(self, loop: SimLoop, end: WriteEnd, protocol: asyncio.BaseProtocol) -> None:
        super().__init__({"pipe": end})
        self._loop, self._end, self._protocol = loop, end, protocol
        self._closing = False
        end.child.when_it_ends.append(self.close)
        loop.call_soon(protocol.connection_made, self)

    def write(self, data: Any) -> None:  # noqa: ANN401 - bytes of any kind
        """Write; what comes after the end of the process is lost."""
        if not self._closing:
            self._end.pipe.write(bytes(data))

    def can_write_eof(self) -> bool:
        """The end can be told."""
        return True

    def write_eof(self) -> None:
        """Write no more."""
        self.close()

    def get_write_buffer_size(self) -> int:
        """Nothing waits to be written."""
        return 0

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closing

    def close(self) -> None:
        """End the input of the process."""
        if not self._closing:
            self._closing = True
            self._end.close()
            if not self._loop.is_closed():
                self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """The same."""
        self.close()


async def connected(make: Callable[[], object], protocol: object) -> tuple[Any, Any]:
    """A transport and its protocol, one turn of the loop later, when the protocol knows of it."""
    transport = make()
    await asyncio.sleep(0)
    return transport, protocol


async def started(
    loop: SimLoop, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> ProcessTransport:
    """A process that is connected with its protocol."""
    waiter = loop.create_future()
    transport = ProcessTransport(loop, *args, **{**kwargs, "waiter": waiter})
    try:
        await waiter
    except BaseException:
        transport.close()
        raise
    return transport
