"""User functions that a scenario names as `module:function`: targets and stubs."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ScenarioError, StubError
from harness.virtual.own_modules import count_as_own, is_own_file, own_modules
from harness.virtual.tracebacks import place_of

_NAME = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
"""How a function is named: `package.module:function`."""

_imported: set[tuple[str, Path]] = set()
"""Functions, with the folders of their scenarios, whose modules this process has imported outside of a run."""


def is_function_name(text: str) -> bool:
    """Whether a text is the name of a function, as `module:function`."""
    return re.fullmatch(_NAME, text) is not None


def find_function(name: str) -> Callable[..., object]:
    """Find the function that a scenario names, in the modules of now.

    Args:
        name: `module:function`; a module that is not imported yet is imported.

    Raises:
        StubError: There is no such module or function, or the module fails when it is imported.
    """
    module_name, _, attribute = name.partition(":")
    try:
        function: Any = getattr(importlib.import_module(module_name), attribute)
        count_as_own(module_name)
    except HarnessError as error:  # it did something that is refused
        raise StubError(f"{name!r} cannot be loaded: {error}") from error
    except (Exception, SystemExit) as error:  # the module is the user's
        where = f"  Where: {place}\n" if (place := place_of(error)) else ""
        raise StubError(
            f"{name!r} cannot be loaded: {error!r}\n"
            f"{where}  How to fix: check the name, and start from the folder that holds {module_name.partition('.')[0]}"
        ) from error
    if not callable(function):
        raise StubError(f"{name!r} is not a function, but {function!r}")
    found: Callable[..., object] = function
    return found


def read_functions(named: Mapping[str, str], folder: Path) -> list[str]:
    """Import the modules of functions once outside of any run, and look at what the import loaded.

    Args:
        named: The functions, each with where the scenario names it.
        folder: Of the scenario.

    Returns:
        A text for each own module that was loaded, which changes with the content of its file.

    Raises:
        ScenarioError: There is no such function, or a module fails when it is imported; says where it is named.
    """
    if not named:
        return []
    from harness.rollback.fresh import imported_outside

    with imported_outside(folder):
        files = _files_of(named)
    _imported.update((name, folder) for name in named)
    return [
        f"{name} {hashlib.sha256(content).hexdigest()}"
        for name, file in sorted(files.items())
        if (content := _content(file)) is not None
    ]


def load_libraries(names: Iterable[str], folder: Path) -> None:
    """Make sure that libraries which the modules of functions import are loaded, with the real functions of the process.

    Args:
        names: The functions.
        folder: Of the scenario.

    Raises:
        StubError: There is no such function, or a module fails when it is imported.
    """
    new = [name for name in names if (name, folder) not in _imported]
    if new:
        from harness.rollback.fresh import imported_outside

        with imported_outside(folder):
            for name in new:
                find_function(name)
        _imported.update((name, folder) for name in new)


def _files_of(named: Mapping[str, str]) -> dict[str, str]:
    """The files of own modules by name, and of functions that are in none of them; keeps no reference to any."""
    functions = {name: _found_at(place, name) for name, place in named.items()}
    files = {
        name: file
        for name, function in functions.items()
        if (file := _source_of(function)) is not None and not is_own_file(file)
    }
    for name, module in own_modules().items():
        file = getattr(module, "__file__", None)
        if file is not None:
            files[name] = file
    return files


def _found_at(place: str, name: str) -> Callable[..., object]:
    try:
        return find_function(name)
    except StubError as error:
        raise ScenarioError(f"{place}: {error}") from error


def _source_of(function: Callable[..., object]) -> str | None:
    try:
        return inspect.getsourcefile(function)
    except TypeError:  # it is not made from a file
        return None


def _content(file: str) -> bytes | None:
    try:
        return Path(file).read_bytes()
    except OSError:  # such as a module in an archive
        return None
