"""A fault that a test adds, in words."""

from __future__ import annotations

import dataclasses

from harness.errors import StubError
from harness.faults import FAULT_NAMES, InjectedFault


def unscripted(fault: InjectedFault, error: StubError) -> tuple[str, list[str]]:
    """What is said, and advised, if the test has no reply for what the program asks under a fault."""
    first = str(error).partition("\n")[0]
    return (
        f"under {in_words(fault)} the program asks for a reply that the test does not have: {first}",
        [
            "So it is not known whether the program survives: it was stopped, and may have recovered.",
            "How to fix: a program may ask again. Give that agent one reply without a list, a function, or a longer list.",
        ],
    )


def in_words(fault: InjectedFault) -> str:
    """A fault, as a test states it: `overloaded(agent='worker', call=2)`."""
    stated = [
        f"{field.name}={value!r}"
        for field in dataclasses.fields(fault)
        if (value := getattr(fault, field.name)) != field.default
    ]
    return f"{FAULT_NAMES[type(fault)]}({', '.join(stated)})"
