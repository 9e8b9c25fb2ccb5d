"""What tests and examples of more than one folder use."""

from __future__ import annotations

import functools
import importlib.util
import signal
import ssl
import sys
from collections import Counter
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

# Property tests have two profiles; a number of examples of their own is `tests.examples.examples`.
if importlib.util.find_spec("hypothesis") is not None:  # frameworks are tested without it
    from hypothesis import settings

    for _name, _examples in (("quick", 10), ("thorough", 60)):
        settings.register_profile(
            _name, max_examples=_examples, deadline=None, derandomize=True, database=None
        )
    settings.load_profile("quick")

_TESTS = Path(__file__).parent / "tests"

_SLOW = frozenset((_TESTS / "slow.txt").read_text(encoding="utf-8").split())
"""Tests that take long, found with `--durations`."""

_QUICK_VARIANTS = 1
"""How many variants of a parametrised test are quick."""


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what is listed so, and the later variants of parametrised tests."""
    met = Counter[str]()
    for item in items:
        name = item.nodeid.partition("[")[0]
        met[name] += 1
        if name in _SLOW or met[name] > _QUICK_VARIANTS:
            item.add_marker(pytest.mark.slow)


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


@pytest.fixture(autouse=True)
def _path_put_back() -> Iterator[None]:
    """Commands that a test calls in this process may look in its folders; the next test's modules are elsewhere."""
    before = sys.path[:]
    yield
    sys.path[:] = before
