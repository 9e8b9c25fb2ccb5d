"""A command in somebody's process: it ends what it has started alone, and leaves the process as it was."""

from __future__ import annotations

import io
import logging
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from harness import Simulation, wall
from harness.cli import app, run
from harness.errors import StubError


def surroundings() -> dict[str, object]:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    return {
        "handlers": [signal.getsignal(number) for number in numbers],
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "unraisable": sys.unraisablehook,
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "errors": (getattr(sys.stdout, "errors", None), getattr(sys.stderr, "errors", None)),
        "log": logging.getLogger("asyncio").disabled,
        "outputs": [os.fstat(number)[:3] for number in (0, 1, 2)],
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["validate", "scenario.yaml"], 0),
        (["simulate", "scenario.yaml"], 0),
        (["simulate", "scenario.yaml", "--runs", "2", "--jobs", "2", "--quiet"], 0),
        (["validate", "nowhere.yaml"], 2),
        (["--help"], 0),
        (["nonsense"], 2),
    ],
)
def test_process_is_afterwards_as_it_was(words: list[str], code: int) -> None:
    before = surroundings()
    assert run(words) == code
    assert surroundings() == before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signal_gives_its_exit_code_to_the_caller_and_is_handled_as_before_afterwards(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    monkeypatch.setattr(app.cli, "main", lambda **_: signal.raise_signal(number))
    before = surroundings()
    assert run([]) == code
    assert surroundings() == before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signal_that_became_another_error_on_its_way_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    def main(**_: object) -> None:
        try:
            signal.raise_signal(number)
        except BaseException as error:
            raise RuntimeError("Error calling __set_name__") from error

    monkeypatch.setattr(app.cli, "main", main)
    assert run([]) == code


def test_ignored_signal_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setattr(app.cli, "main", lambda **_: found.append(signal.getsignal(signal.SIGHUP)))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert run([]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert found == [signal.SIG_IGN]


def test_runs_in_a_thread() -> None:
    codes = []
    thread = threading.Thread(target=lambda: codes.append(run(["simulate", "scenario.yaml"])))
    thread.start()
    thread.join()
    assert codes == [0]


def test_full_output_of_a_caller_is_told_and_stays_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    full = io.TextIOWrapper(io.BufferedWriter(Full()), encoding="utf-8")
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", full)
    monkeypatch.setattr(sys, "stderr", said)
    assert run(["schema"]) == 2
    assert (
        said.getvalue() == "error: cannot write to the standard output: No space left on device\n"
    )
    assert sys.stdout is full
    with pytest.raises(OSError, match="No space"):
        full.flush()


@pytest.mark.slow
def test_error_in_several_processes_ends_those_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("broken_stub.py").write_text("def reply(request):\n    1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(Path())
    simulation = Simulation("scenario.yaml", overrides=["agents.writer.stub=broken_stub:reply"])
    theirs = multiprocessing.get_context("spawn").Process(target=wall.sleep, args=(600.0,))
    theirs.start()
    try:
        with pytest.raises(StubError, match="ZeroDivisionError"):
            simulation.run_many(4, jobs=2)
        assert multiprocessing.active_children() == [theirs]
        theirs.join(1.0)
        assert theirs.is_alive()
    finally:
        theirs.kill()
        theirs.join()
