"""Nobody sits at the terminal of a run."""

from __future__ import annotations

import asyncio
import builtins
import cmd
import contextlib
import io
import sys
from collections.abc import Callable

import pytest

from harness.errors import NotSimulated
from harness.kernel import Kernel
from harness.virtual.world import run_program

_kept = input


async def _in_a_thread() -> str:
    return await asyncio.to_thread(input, "publish? ")


def _swallowed() -> str:
    try:
        return input()
    except Exception:  # noqa: BLE001 - as a chat loop does
        return ""


@pytest.mark.parametrize("program", [lambda: input("publish? "), _kept, _in_a_thread, _swallowed])
def test_question_to_the_person_is_refused(program: Callable[[], object]) -> None:
    with pytest.raises(NotSimulated, match=r"(?s)input\(\).*How to fix: answer for the person"):
        run_program(Kernel(), program, seed=1)


def test_question_is_refused_also_where_the_standard_input_is_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setattr(sys, "__stdin__", sys.stdin)
    with pytest.raises(NotSimulated):
        run_program(Kernel(), input, seed=1)


def test_answer_of_a_test_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert run_program(Kernel(), input, seed=1) == "yes"
    monkeypatch.setattr(builtins, "input", lambda _="": "no")
    assert run_program(Kernel(), lambda: input("publish? "), seed=1) == "no"


class _Shell(cmd.Cmd):
    """As pdb is one."""

    heard = ""

    def onecmd(self, line: str) -> bool:
        self.heard = line
        return True


def test_debugger_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("where\n"))
    monkeypatch.setattr(sys, "__stdin__", sys.stdin)
    shell = _Shell(stdout=io.StringIO())
    with contextlib.redirect_stdout(io.StringIO()):
        run_program(Kernel(), shell.cmdloop, seed=1)
    assert shell.heard == "where"
