"""Tools of a program that is recorded; `DONE` is the world outside."""

from __future__ import annotations

DONE: list[str] = []


def price(item: str) -> dict[str, float]:
    DONE.append(f"price {item}")
    if item == "nothing":
        raise KeyError(item)
    return {"usd": 9.5}


async def order(item: str, *, count: int = 1) -> str:
    DONE.append(f"order {count} {item}")
    return f"ordered {count} {item}"


class Stock:
    def left(self, item: str) -> int:
        DONE.append(f"left {item}")
        return 3


def unwritable() -> object:
    return object()
