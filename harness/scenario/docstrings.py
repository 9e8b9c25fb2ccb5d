"""Field docstrings of records, for the reference and the JSON Schema."""

from __future__ import annotations

import ast
import inspect
import textwrap

Record = type[object]


def field_docs(record: Record) -> dict[str, str]:
    """The text under each field, of the record and of what it extends."""
    docs: dict[str, str] = {}
    for part in reversed(record.__mro__[:-1]):
        if not part.__module__.startswith("harness"):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(part))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                assert isinstance(field.target, ast.Name)
                docs[field.target.id] = " ".join(str(text.value.value).split())
    return docs


def first_paragraph(record: Record) -> str:
    """The first paragraph of a record's docstring, on one line."""
    return " ".join((inspect.getdoc(record) or "").partition("\n\n")[0].split())
