"""Audit events refuse what no stand-in reaches."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from harness.errors import NotSimulated
from harness.kernel import Kernel
from harness.virtual.world import run_program


def test_method_that_was_bound_before_the_run_is_refused() -> None:
    with socket.socket() as opened:
        connect = opened.connect
        with pytest.raises(NotSimulated) as caught:
            run_program(Kernel(), lambda: connect(("127.0.0.1", 9)), seed=1)
    assert caught.value.what == "a connection to 127.0.0.1:9"


def test_events_outside_of_a_world_are_nobodys_business() -> None:
    run_program(Kernel(), lambda: None, seed=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_process_that_has_had_a_run_ends_without_a_word() -> None:
    code = "from harness.kernel import Kernel; from harness.virtual.world import run_program; run_program(Kernel(), lambda: None, seed=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
