"""What tests of more than one folder use."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from harness.cli import run

pytest_plugins = ["pytester"]


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
