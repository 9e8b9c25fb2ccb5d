"""What tests of more than one folder use."""

from __future__ import annotations

import signal
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from harness.cli import run

pytest_plugins = ["pytester"]

# Whoever starts the tests in the background may ignore what some of them send.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


@pytest.fixture
def harness(capsys: pytest.CaptureFixture[str]) -> Callable[..., CompletedProcess[str]]:
    """The command line, called in this process: `harness("simulate", file)` gives exit code and output."""

    def call(*words: object) -> CompletedProcess[str]:
        arguments = [str(word) for word in words]
        capsys.readouterr()
        code = run(arguments)
        said = capsys.readouterr()
        return CompletedProcess(arguments, code, said.out, said.err)

    return call
