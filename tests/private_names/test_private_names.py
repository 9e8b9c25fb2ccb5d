"""Private names of other packages: all are known, each is looked for, and a missing one is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.private_names import PACKAGES, PYTEST, MissingName, Package, check_private_names
from tests.private_names.page import PAGE, ROOT, page

OURS_TOO = {"_repr_html_", "_make", "_fields", "_replace", "_exit", "_place_in_sets"}
"""Documented names that begin with an underscore, and one that we put on objects of others."""
OPTIONAL = {"_uuid4_int", "_uuid7_int", "_call_queue", "_result_queue", "_processes", "_writer", "_tunnel", "_tunnel_host",
            "_initrequest", "_fixtureinfo", "_set_done", "_shutdown_locks", "_tls", "_process_exited", "_inheriting"}  # fmt: skip
"""Asked for with a default, or behind `hasattr`."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    check_private_names.cache_clear()
    yield
    check_private_names.cache_clear()


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted((ROOT / "harness").rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def _defined() -> set[str]:
    """Every name that our own code defines: functions, classes, attributes, fields, variables, slots."""
    found: set[str] = set()
    for _, tree in _trees():
        for node in ast.walk(tree):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                ):
                    found.add(name)
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                    found.add(name)
                case ast.Name(id=name, ctx=ast.Store()):
                    found.add(name)
    return found


def _used() -> dict[str, str]:
    """Every private name that is read of some object, with one of the places."""
    found: dict[str, str] = {}
    for file, tree in _trees():
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name, lineno=line):
                    pass
                case ast.Call(
                    func=ast.Name(id="getattr" | "hasattr"),
                    args=[_, ast.Constant(value=str(name)), *_],
                    lineno=line,
                ):
                    pass
                case _:
                    continue
            if re.match("_[a-zA-Z]", name):
                found[name] = f"{file.relative_to(ROOT)}:{line}"
    return found


LISTED = {
    re.split("[.:]", name)[-1]
    for package in PACKAGES
    for names in package.names
    for name in names.split("|")
}


def test_every_private_name_that_is_used_is_listed() -> None:
    defined = _defined()
    unknown = {
        name: place
        for name, place in _used().items()
        if name not in defined | LISTED | OURS_TOO | OPTIONAL
    }
    assert unknown == {}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: f"{package.name}: {package.use}")
def test_listed_names_are_there_in_the_installed_version(package: Package) -> None:
    pytest.importorskip("sys" if package.is_python else package.name)
    check_private_names(package)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: f"{package.name}: {package.use}")
def test_guard_of_a_package_exists(package: Package) -> None:
    assert (ROOT / package.guard).is_file()


def test_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: make docs"


def test_missing_name_is_told_with_the_package_its_version_and_what_to_do() -> None:
    package = Package(
        "simpy", ">=4.1,<5", "the clock", "-", ("simpy.Environment._moved", "simpy.core")
    )
    with pytest.raises(MissingName) as caught:
        check_private_names(package)
    said = str(caught.value)
    assert caught.value.missing == ["simpy.Environment._moved"]
    for part in ("simpy 4.", "simpy.Environment._moved", ">=4.1,<5", "pip install"):
        assert part in said


@pytest.mark.parametrize(
    ("moved", "program"),
    [
        ("aiohttp.connector.TCPConnector._create_connection", "import aiohttp"),
        ("urllib3.connection.HTTPConnection._new_conn", "import urllib3.connection"),
        ("httpcore._backends.sync.SyncBackend.connect_tcp", "import httpcore"),
    ],
)
def test_run_with_a_client_whose_name_has_moved_does_not_begin(
    moved: str, program: str, pytester: pytest.Pytester
) -> None:
    owner, _, name = moved.rpartition(".")
    pytester.makepyfile(
        f"""
        import importlib
        {program}

        def test_it(sim):
            sim.agent("worker", reply="ok")
            sim.run(lambda: None)
        """
    )
    pytester.makeconftest(
        f"""
        import pydoc
        delattr(pydoc.locate({owner!r}), {name!r})
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    said = result.stdout.str()
    assert name in said
    assert "supported:" in said
    assert "AttributeError" not in said


def test_pytest_whose_names_have_moved_gets_one_message(
    monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    gone = PYTEST._replace(names=("_pytest.runner.gone",))
    monkeypatch.setattr("harness.pytest_plugin.session.PYTEST", gone)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*_pytest.runner.gone*"])
