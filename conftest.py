"""What tests and examples of more than one folder use."""

from __future__ import annotations

import functools
import signal
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.cli import run

pytest_plugins = ["pytester"]

# Makes the examples importable when all are tested together; alone, each has its own `pyproject.toml`.
sys.path[:0] = [
    str(config.parent)
    for config in sorted((Path(__file__).parent / "examples").glob("*/pyproject.toml"))
]

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


@pytest.fixture(autouse=True, scope="session")
def one_tls_context() -> Iterator[None]:
    """Let all clients share a TLS context, which nobody uses: making one takes longer than a simulated call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield
