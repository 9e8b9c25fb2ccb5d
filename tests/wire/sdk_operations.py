"""The operations that an SDK has, read from its source: every call of `_get`, `_post` and so on with its path.

`python -m tests.wire.sdk_operations` lists those of the installed SDKs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_VERBS = {
    "_get": "GET",
    "_get_api_list": "GET",
    "_post": "POST",
    "_put": "PUT",
    "_patch": "PATCH",
    "_delete": "DELETE",
}


def operations_of(sdk: str) -> list[str]:
    """Method and path of each operation, such as `GET /files/{}`, in order."""
    if sdk == "gemini":
        return operations_of_google()
    folder = _folder(sdk) / "resources"
    return sorted({one for file in sorted(folder.rglob("*.py")) for one in _of_file(file)})


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent


# -- google-genai, whose paths are in variables, and whose newer half is generated -----------------------------------

_GOOGLE_NAMES = {
    "batches": {"model": "models/{}"},
    "caches": {"name": "cachedContents/{}"},
    "documents": {"name": "fileSearchStores/{}/documents/{}", "parent": "fileSearchStores/{}"},
    "file_search_stores": {
        "name": "fileSearchStores/{}",
        "file_search_store_name": "fileSearchStores/{}",
    },
    "models": {"model": "models/{}", "name": "models/{}", "models_url": "models"},
    "operations": {"operationName": "models/{}/operations/{}", "resourceName": "models/{}"},
    "tunings": {"name": "tunedModels/{}", "parent": ""},
}
"""What stands for the variables of a path, by module."""


def operations_of_google() -> list[str]:
    """Those of the Gemini API in the SDK `google-genai`."""
    folder = _folder("google.genai")
    found = {
        one
        for file in sorted(folder.glob("*.py"))
        for one in _of_google_file(file, _GOOGLE_NAMES.get(file.stem, {}))
    }
    for file in sorted((folder / "_gaos").glob("*.py")):
        found.update(_of_generated_file(file))
    return sorted(found)


def _of_google_file(file: Path, names: dict[str, str]) -> Iterator[str]:
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        paths, verb = [], ""
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[ast.Name(id="path")], value=ast.Constant(value=str(text))):
                    paths.append(text)
                case ast.Call(
                    func=ast.Attribute(attr="request" | "request_streamed"),
                    args=[ast.Constant(value=str(method)), *_],
                ):
                    verb = method.upper()
        if paths and verb:  # the last is that of the Gemini API, the one before it that of Vertex
            yield f"{verb} /{_google_path(paths[-1], names)}"


def _google_path(text: str, names: dict[str, str]) -> str:
    plain = text.partition("?")[0].removeprefix("upload/{api_version}/").strip("/")
    return re.sub(r"{(\w+)}", lambda found: names.get(found[1], "{}"), plain).strip("/")


def _of_generated_file(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        given = {
            one.arg: str(one.value.value)
            for one in node.keywords
            if isinstance(one.value, ast.Constant)
        }
        if {"path", "method"} <= given.keys():
            plain = given["path"].removeprefix("/upload").removeprefix("/{api_version}")
            yield f"{given['method']} {re.sub(r'{[^}]*}', '{}', plain)}"


# -- anthropic and openai ----------------------------------------------------------------------------------------------


def _of_file(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        verb = _VERBS.get(node.func.attr)
        for keyword in node.keywords:  # of a list that is asked for in another way
            if keyword.arg == "method" and isinstance(keyword.value, ast.Constant):
                verb = str(keyword.value.value).upper()
        path = _path_of(node.args[0]) if verb and node.args else None
        if path is not None:
            plain = path.partition("?")[0]
            yield f"{verb} {re.sub(r'{[^}]*}', '{}', plain)}"


def _path_of(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(func=ast.Name(id="path_template"), args=[ast.Constant(value=str(text)), *_]):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts
            )
        case ast.IfExp(body=body):
            return _path_of(body)
    return None


if __name__ == "__main__":
    for sdk in ("anthropic", "openai"):
        print(f"# {sdk}", *operations_of(sdk), sep="\n")  # noqa: T201 - a program
