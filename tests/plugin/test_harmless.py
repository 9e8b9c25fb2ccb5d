"""A project that does not use the plugin does not notice it, whatever stands in its test modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PYTHONS = [
    sys.executable,
    *filter(None, os.environ.get("HARNESS_OTHER_PYTHONS", "").split(":")),
]
"""The variable holds paths of interpreters with pytest and the dependencies of harness, separated by colons."""

STRANGE = '''
import asyncio, dataclasses, functools, inspect, types
import unittest.mock as mock

import pytest


class Proxy:
    """As flask.request is, outside of a request."""

    @property
    def __class__(self):
        raise RuntimeError("there is no request")

    def __getattr__(self, name):
        raise RuntimeError("there is no request")

    def __call__(self):
        raise RuntimeError("there is no request")


class Lazy(types.ModuleType):
    """A module that loads itself late, and cannot."""

    def __getattr__(self, name):
        raise ImportError(f"{name} is not installed")


class NoTruth:
    def __eq__(self, other):
        raise ValueError("there is no truth")

    def __bool__(self):
        raise ValueError("there is no truth")

    __hash__ = None


async def helper(sim):
    pass

helper.__signature__ = "none"
proxy, lazy, no_truth = Proxy(), Lazy("lazy"), NoTruth()
magic, auto = mock.MagicMock(), mock.AsyncMock()
part = functools.partial(asyncio.sleep, 0)
sim = mock.sentinel.sim


class TestStrange:
    proxy, lazy, no_truth, magic, auto = proxy, lazy, no_truth, magic, auto
    module = inspect
    part = functools.partialmethod(helper)

    def test_in_class(self):
        assert inspect.getsource(Proxy)


def test_here():
    assert dataclasses


def test_recorded(record_property, request):
    record_property("proxy", "one")
    record_property("no_truth", NoTruth())
    request.node.user_properties.append(("alone",))
    request.node.user_properties.append(NoTruth())


def test_fails():
    assert not "said"


@pytest.mark.sim("a marker of its own", port=1)
@pytest.mark.parametrize("sim", [1, 2])
def test_parameter(sim):
    assert sim in (1, 2)


class TestOwnFixture:
    @pytest.fixture
    def sim(self):
        return "a robot"

    @pytest.mark.sim(7)
    @pytest.mark.latency_budget("of its own", 3)
    def test_own(self, sim):
        assert sim == "a robot"


@pytest.mark.latency_budget("of its own", 3)
def test_budget_of_its_own():
    pass


async def test_async():
    pass

'''
CONFTEST = """
import pytest


class File(pytest.File):
    def collect(self):
        yield Item.from_parent(self, name="strange")


class Item(pytest.Item):
    def runtest(self):
        pass

    def __getattr__(self, name):
        if name.startswith("_fix"):
            raise RuntimeError(name)
        raise AttributeError(name)


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".strange":
        return File.from_parent(parent, path=file_path)


def pytest_configure(config):
    config.addinivalue_line("markers", "latency_budget(text, number): of this project")
    config.addinivalue_line("markers", "sim(text, port): of this project")


def pytest_collection_modifyitems(items):
    items.reverse()
"""


def outcomes(python: str, *options: str) -> list[str]:
    done = subprocess.run(
        [
            python,
            "-m",
            "pytest",
            "-rA",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "--doctest-glob=*.txt",
            *options,
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(HOUSE),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return sorted(line for line in lines if line.startswith(("PASSED", "FAILED", "ERROR")))


@pytest.mark.parametrize("python", PYTHONS)
def test_strange_things_have_the_outcomes_that_they_have_without_the_plugin(
    pytester: pytest.Pytester, python: str
) -> None:
    pytester.makepyfile(test_strange=STRANGE)
    pytester.makeconftest(CONFTEST)
    pytester.makefile(".strange", thing="")
    pytester.maketxtfile(docs=">>> 1 + 1\n2")
    without = outcomes(python)
    assert len(without) == 11
    assert sum(line.startswith("FAILED") for line in without) == 2
    assert outcomes(python, "-p", "harness.pytest_plugin") == without


@pytest.mark.parametrize("python", PYTHONS)
def test_async_test_runs_in_the_simulation_on_every_python(
    pytester: pytest.Pytester, python: str
) -> None:
    pytester.makepyfile(
        """
        import asyncio, inspect

        async def test_virtual(sim):
            await asyncio.sleep(500.0)
            assert asyncio.get_running_loop().time() == 500.0

        def test_fails(sim):
            inspect.currentframe()
        """
    )
    found = outcomes(python, "-p", "harness.pytest_plugin")
    assert [line.split(" - ")[0] for line in found] == [
        "FAILED test_async_test_runs_in_the_simulation_on_every_python.py::test_fails",
        "PASSED test_async_test_runs_in_the_simulation_on_every_python.py::test_virtual",
    ]
