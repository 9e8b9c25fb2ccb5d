"""Change detection for objects whose contents Python cannot read."""

from __future__ import annotations

import queue
import types
from typing import Any

_GENERATORS: dict[type, str] = {
    types.GeneratorType: "gi_frame",
    types.AsyncGeneratorType: "ag_frame",
    types.CoroutineType: "cr_frame",
}

_SLOT_WRAPPER = type(object.__repr__)


def visible_state(thing: Any) -> object:  # noqa: ANN401 - anything
    """Something that differs when the thing has visibly changed; a number if it is how many items there are."""
    cls = type(thing)
    try:
        if cls in _GENERATORS:
            frame = getattr(thing, _GENERATORS[cls])
            return "" if frame is None else f"{frame.f_lasti} {[*map(id, frame.f_locals.values())]}"
        if cls is queue.SimpleQueue:
            return thing.qsize()
        if type(getattr(cls, "__len__", None)) is _SLOT_WRAPPER:  # not one that the program wrote
            return len(thing)
    except Exception:  # noqa: BLE001 - a closed connection, or anything else that cannot tell
        return None
    return None


def difference(path: str, before: object, now: object, *, seeds: str) -> str:
    """How something has changed, in a sentence without its end."""
    if isinstance(before, int) and isinstance(now, int):
        verb = "grew" if now > before else "shrank"
        return f"{path} {verb} from {before} to {now} items{seeds}"
    return f"{path} changed{seeds}"
