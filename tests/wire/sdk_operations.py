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
    spec = find_spec(sdk)
    assert spec is not None, f"{sdk} is not installed"
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "resources"
    return sorted({one for file in sorted(folder.rglob("*.py")) for one in _of_file(file)})


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
