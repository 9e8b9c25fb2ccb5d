"""Sockets that a program makes in a run work in it, waits for them are virtual, and what a module has kept is found."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this

from __future__ import annotations

import select
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from harness.errors import Deadlock, NotSimulated
from harness.kernel import Kernel
from harness.virtual.world import run_program
from tests.real_server import listening


def in_run(program: Callable[[], Any]) -> Any:
    return run_program(Kernel(), program, seed=1)


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def by_select(opened: socket.socket, timeout_s: float | None) -> bool:
    return bool(select.select([opened], [], [], timeout_s)[0])


def by_poll(opened: socket.socket, timeout_s: float | None) -> bool:
    poller = select.poll()
    poller.register(opened, select.POLLIN)
    return bool(poller.poll(None if timeout_s is None else timeout_s * 1000))


def by_selector(opened: socket.socket, timeout_s: float | None) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(opened, selectors.EVENT_READ)
        return bool(selector.select(timeout_s))


WAITS = [by_select, by_poll, by_selector]


@pytest.mark.parametrize("wait", WAITS)
def test_wait_for_what_is_ready_takes_no_time(wait: Callable[..., bool]) -> None:
    def program() -> tuple[bool, float]:
        with pair() as (one, other):
            one.send(b"x")
            return wait(other, 5), time.monotonic()

    assert in_run(program) == (True, 0.0)


@pytest.mark.parametrize("wait", WAITS)
def test_wait_with_a_timeout_takes_virtual_time(wait: Callable[..., bool]) -> None:
    def program() -> tuple[bool, float]:
        with pair() as (_, other):
            return wait(other, 5), time.monotonic()

    assert in_run(program) == (False, 5.0)


@pytest.mark.parametrize("wait", WAITS)
def test_wait_for_ever_is_a_deadlock(wait: Callable[..., bool]) -> None:
    def program() -> None:
        with pair() as (_, other):
            wait(other, None)

    with pytest.raises(Deadlock):
        in_run(program)


def test_select_without_descriptors_sleeps() -> None:
    def program() -> float:
        select.select([], [], [], 3.0)
        return time.monotonic()

    assert in_run(program) == 3.0


@pytest.mark.parametrize("wait", WAITS)
def test_wait_outside_of_a_run_is_a_real_one(wait: Callable[..., bool]) -> None:
    with pair() as (one, other):
        assert not wait(other, 0)
        one.send(b"x")
        assert wait(other, 5)


def test_poll_object_outlives_the_run_that_made_it() -> None:
    poller = in_run(select.poll)
    with pair() as (one, other):
        poller.register(other, select.POLLIN)
        one.send(b"x")
        assert poller.poll(5_000) == [(other.fileno(), select.POLLIN)]


def test_receiving_what_nobody_sends_takes_the_sockets_timeout_and_never_hangs() -> None:
    def program() -> float:
        with pair() as (one, other):
            other.settimeout(2.0)
            with pytest.raises(TimeoutError, match="timed out"):
                other.recv(1)
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                other.recv(1)
            one.setblocking(True)
            with pytest.raises(NotSimulated, match="a wait for data on a socket"):
                one.recv(1)
            return time.monotonic()

    assert in_run(program) == 2.0


def test_duplicate_of_a_socket_of_the_run_works() -> None:
    def program() -> bytes:
        with pair() as (one, other), one.dup() as double:
            double.sendall(b"ping")
            return other.recv(10)

    assert in_run(program) == b"ping"


def test_method_that_a_module_of_the_program_has_kept_is_refused_and_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module: Any = ModuleType("program_with_a_kept_method")
    module.__file__ = "/a/folder/program_with_a_kept_method.py"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with listening() as server, socket.create_connection(("127.0.0.1", server.port)) as opened:
        module.send = kept = opened.send
        with pytest.raises(NotSimulated, match="that was made before the run"):
            in_run(lambda: module.send(b"x"))
        assert module.send is kept
        assert opened.recv(5) == b"hello"
        assert kept(b"x") == 1


def test_refusal_names_the_other_end() -> None:
    with (
        listening() as server,
        socket.create_connection(("127.0.0.1", server.port)) as opened,
        pytest.raises(NotSimulated) as caught,
    ):
        in_run(lambda: opened.send(b"x"))
    assert caught.value.what == (
        f"a connection to 127.0.0.1:{server.port} that was made before the run"
    )
