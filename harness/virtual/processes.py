"""Processes: simulated if the test describes them, refused otherwise.

`subprocess.Popen` is where `run`, `check_output`, `getoutput`, `os.popen` and asyncio's subprocesses pass. Its own code
stays; only the steps that reach the operating system are replaced, so that text modes, timeouts and errors are its own.
"""

from __future__ import annotations

import io
import math
import os
import stat
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

from harness.kernel.current_world import World
from harness.virtual.child import Child, Nowhere, Sink, ToFile
from harness.virtual.commands import begin, command_of
from harness.virtual.patching import Attribute, StandIn, method, stand_in
from harness.virtual.pipes import Pipe, ReadEnd, WriteEnd

_RUN_A_COMMAND = (
    'run a command with subprocess and describe it, as in `sim.process("git push*", stdout="ok")`.'
)
_MAKE_NO_PROCESSES = "use tasks (asyncio.create_task, asyncio.TaskGroup), or replace what makes processes by a stand-in."
_SEND_NO_SIGNALS = "call what handles the signal, or raise the error that it leads to; processes started in the run can be killed."
_WAIT_BY_POPEN = (
    "wait for a simulated process by the object that started it (Popen.wait, communicate)."
)
_LEAVE_BY_ERROR = "it would end the test as well; raise an error, or call sys.exit()."


@lru_cache(1)
def know_this_computer() -> None:
    """Let `platform` ask now what it asks only once: it runs `uname -p`, and SDKs name the computer in their requests."""
    import platform

    platform.processor()


# -- subprocess.Popen ---------------------------------------------------------------------------------------


def _make(world: World, popen: Any, args: Any, bufsize: int = -1, *more: Any, **named: Any) -> None:  # noqa: ANN401 - as Popen
    _stock_make(popen, args, bufsize, *more, **named)
    child: Child | None = world.children.get(popen.pid)
    if child is None:
        return  # a subclass has started something else
    if child.fed:
        popen.stdin = _file(popen, WriteEnd(child.stdin, child), io.BufferedWriter, bufsize)
    if isinstance(child.stdout, Pipe):
        popen.stdout = _file(popen, ReadEnd(child.stdout, child), io.BufferedReader, bufsize)
    if isinstance(child.stderr, Pipe) and child.stderr is not child.stdout:
        popen.stderr = _file(popen, ReadEnd(child.stderr, child), io.BufferedReader, bufsize)


def _file(popen: Any, end: io.RawIOBase, buffered: Any, bufsize: int | None) -> Any:  # noqa: ANN401 - as Popen
    """What Popen makes of a descriptor."""
    size = io.DEFAULT_BUFFER_SIZE if bufsize is None or bufsize in (-1, 1) else bufsize
    file = end if size == 0 else buffered(end, size)
    if not popen.text_mode:
        return file
    writes = end.writable()
    return io.TextIOWrapper(
        file,
        encoding=popen.encoding,
        errors=popen.errors,
        line_buffering=writes and bufsize == 1,
        write_through=writes,
    )


def _get_handles(
    _: World, __: subprocess.Popen[Any], stdin: object, stdout: object, stderr: object
) -> tuple[object, ...]:
    """No descriptors for the program's ends (-1); what was asked for goes on to `_execute_child`."""
    return stdin, -1, -1, stdout, -1, stderr


def _execute_child(world: World, popen: Any, args: object, *more: object) -> None:  # noqa: ANN401 - as Popen
    cwd, env, shell = more[4], more[5], more[8]
    stdin, stdout, stderr = more[9], more[12], more[14]
    command = command_of(args, bool(shell), cwd, env)
    running = begin(world, command)
    out = _sink(stdout, 1)
    popen.pid = Child(
        world,
        command,
        running,
        stdin=_source(stdin),
        fed=stdin == subprocess.PIPE,
        stdout=out,
        stderr=out if stderr == subprocess.STDOUT else _sink(stderr, 2),
    ).pid


def _sink(asked: object, inherited: int) -> Sink:
    if asked == subprocess.PIPE:
        return Pipe()
    if asked == subprocess.DEVNULL:
        return Nowhere()
    return ToFile(inherited if asked is None else _descriptor(asked))


def _source(asked: object) -> Pipe:
    inner = getattr(asked, "buffer", asked)
    inner = getattr(inner, "raw", inner)
    if isinstance(inner, ReadEnd):
        return inner.pipe  # of another process: `first | second`
    pipe = Pipe()
    if asked == subprocess.PIPE:
        return pipe
    if asked is not None and asked != subprocess.DEVNULL:
        pipe.write(_content(_descriptor(asked)))
    pipe.end()
    return pipe


def _descriptor(file: Any) -> int:  # noqa: ANN401 - as Popen
    return file if isinstance(file, int) else int(file.fileno())


def _content(descriptor: int) -> bytes:
    """The rest of a file; a terminal or a real pipe has nothing to say inside a run."""
    parts: list[bytes] = []
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        while part := os.read(descriptor, 1 << 20):
            parts.append(part)
    return b"".join(parts)


def _child_of(world: World, popen: Any) -> Child:  # noqa: ANN401 - as Popen
    child: Child | None = world.children.get(popen.pid)
    if child is None:
        raise world.refuse(
            f"a process that was started before the run ({popen.args!r})",
            "start it inside the run, where it is simulated, or keep it apart from the program under test.",
        )
    return child


def _poll(world: World, popen: Any, _deadstate: object = None, **_: object) -> int | None:  # noqa: ANN401 - as Popen
    if _deadstate is not None and popen.pid not in world.children:
        _stock_poll(popen, _deadstate)  # garbage of a real process
    elif popen.returncode is None:
        world.now_s()  # counts, so that a loop that asks over and over is stopped
        popen.returncode = _child_of(world, popen).returncode
    code: int | None = popen.returncode
    return code


def _wait(world: World, popen: Any, timeout: float | None) -> int:  # noqa: ANN401 - as Popen
    if popen.returncode is None:
        child = _child_of(world, popen)
        until_s = math.inf if timeout is None else world.kernel.now_s() + timeout
        if not child.wait_until(lambda: child.returncode is not None, until_s=until_s):
            assert timeout is not None
            raise subprocess.TimeoutExpired(popen.args, timeout)
        popen.returncode = child.returncode
    code: int = popen.returncode
    return code


def _communicate(
    world: World,
    popen: Any,  # noqa: ANN401 - as Popen
    data: Any,  # noqa: ANN401 - text or bytes
    end_s: float | None,
    timeout: float,
) -> tuple[Any, Any]:
    child = _child_of(world, popen)
    if popen.stdin and not popen.stdin.closed:
        popen._stdin_write(data)  # noqa: SLF001 - writes, closes, and ignores a process that has ended
    until_s = math.inf if end_s is None else end_s
    if not child.wait_until(lambda: child.returncode is not None, until_s=until_s):
        raise subprocess.TimeoutExpired(popen.args, timeout)
    return _rest(popen.stdout), _rest(popen.stderr)


def _rest(file: Any) -> Any:  # noqa: ANN401 - text or bytes
    if file is None or file.closed:
        return None
    with file:
        return file.read()


_stock_make = subprocess.Popen.__init__
_stock_poll = subprocess.Popen._internal_poll  # type: ignore[attr-defined]  # noqa: SLF001 - as below


# -- os -----------------------------------------------------------------------------------------------------


def _system(_: World, command: str | bytes | os.PathLike[str]) -> int:
    """The status that `os.waitstatus_to_exitcode` reads."""
    code = subprocess.Popen(command, shell=True).wait()  # noqa: S602 - nothing is started
    return code << 8 if code >= 0 else -code


def _kill(world: World, pid: int, number: int) -> None:
    child = world.children.get(pid)
    if child is None:
        raise world.refuse(
            f"a signal to process {pid}",
            _SEND_NO_SIGNALS,
        )
    child.signal(number)


def _group_of(world: World, pid: int) -> int:
    """A simulated process leads a group of its own."""
    return pid if pid in world.children else _stock_group_of(pid)


def _refuse(name: str, advice: str) -> Callable[..., NoReturn]:
    def refuse(world: World, *_: object, **__: object) -> NoReturn:
        raise world.refuse(name, advice)

    return refuse


_REFUSED: tuple[tuple[str, str], ...] = (
    ("fork forkpty", _MAKE_NO_PROCESSES),
    ("posix_spawn posix_spawnp startfile", _RUN_A_COMMAND),
    ("spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe", _RUN_A_COMMAND),
    ("execl execle execlp execlpe execv execve execvp execvpe", _RUN_A_COMMAND),
    ("wait waitpid wait3 wait4 waitid pidfd_open", _WAIT_BY_POPEN),
    ("_exit abort", _LEAVE_BY_ERROR),
)


def _os_stand_ins() -> Iterator[StandIn]:
    for names, advice in _REFUSED:
        for name in names.split():
            if hasattr(os, name):
                yield stand_in(getattr(os, name), _refuse(f"os.{name}", advice))
    yield stand_in(os.system, _system)
    yield stand_in(os.kill, _kill)
    for name, inside in (("killpg", _kill), ("getpgid", _group_of)):
        if hasattr(os, name):
            yield stand_in(getattr(os, name), inside)


_stock_group_of: Callable[[int], int] = getattr(os, "getpgid", int)


# -- multiprocessing ----------------------------------------------------------------------------------------


def _start_process(world: World, process: BaseProcess) -> NoReturn:
    raise world.refuse(f"a process of your own ({process.name})", _MAKE_NO_PROCESSES)


def _submit_to_processes(world: World, *_: object, **__: object) -> NoReturn:
    raise world.refuse("a ProcessPoolExecutor", _MAKE_NO_PROCESSES)


def _fork_exec(world: World, args: Any, *_: object) -> NoReturn:  # noqa: ANN401 - of a private function
    """What multiprocessing uses for its helpers, and all of subprocess."""
    line = command_of(list(args), shell=False).line
    raise world.refuse(f"a process of your own ({line})", _MAKE_NO_PROCESSES)


STAND_INS: tuple[StandIn, ...] = (
    *_os_stand_ins(),
    *(
        stand_in(module.fork_exec, _fork_exec)
        for module in (sys.modules.get("_posixsubprocess"),)
        if module is not None
    ),
    stand_in(webbrowser.open, _refuse("webbrowser.open", "replace it for the time of the test.")),
)
EVENTS: Mapping[str, Callable[..., object]] = {
    event: _refuse(event, advice)
    for events, advice in (
        ("subprocess.Popen os.system os.exec os.posix_spawn os.spawn os.startfile", _RUN_A_COMMAND),
        ("os.fork os.forkpty pty.spawn", _MAKE_NO_PROCESSES),
        ("os.kill os.killpg signal.pthread_kill", _SEND_NO_SIGNALS),
    )
    for event in events.split()
}
"""Audit events of what was kept before the run where no stand-in is put."""
ATTRIBUTES: tuple[Attribute, ...] = (
    method(subprocess.Popen, "__init__", _make),
    method(subprocess.Popen, "_get_handles", _get_handles),
    method(subprocess.Popen, "_execute_child", _execute_child),
    method(subprocess.Popen, "_internal_poll", _poll),
    method(subprocess.Popen, "_wait", _wait),
    method(subprocess.Popen, "_communicate", _communicate),
    method(ProcessPoolExecutor, "submit", _submit_to_processes),
    method(BaseProcess, "start", _start_process),
)
