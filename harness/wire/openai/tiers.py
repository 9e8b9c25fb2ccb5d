"""How a request is served, as its answer says (types of the SDK 3.54, `service_tier`)."""

from __future__ import annotations

from harness.json_types import JsonObject

_SERVED_AS = {"auto": "default", "fast": "priority"}
"""What some tiers are called once they are served; all others keep their names."""


def tier_of(asked: JsonObject) -> str:
    """The tier that serves a request."""
    wanted = str(asked.get("service_tier") or "auto")
    return _SERVED_AS.get(wanted, wanted)
