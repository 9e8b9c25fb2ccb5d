"""What is checked of every request, in the words of the real API.

Only what is known to be rejected is: by recordings, by documentation, or by errors that users have pasted. What goes
for one endpoint alone is in `chat_rules.py` and `response_rules.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.wire.api import Section
from harness.wire.http import HttpRequest
from harness.wire.openai.errors import Rejected
from harness.wire.openai.models import context_tokens

MISSING = "missing_required_parameter"
TOO_LONG = "context_length_exceeded"

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API "
    "from your browser and are prompted for a username and password. You can obtain an API key from "
    "https://platform.openai.com/account/api-keys."
)
_NO_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "
    "figuring out how to fix this, please contact us through our help center at help.openai.com.)"
)
_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a decimal"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)
"""What values of JSON are called; a boolean is an integer to Python, and comes first."""

_TYPES: dict[str, tuple[type, ...]] = {
    "dimensions": (int,),
    "include": (list,),
    "instructions": (str,),
    "max_completion_tokens": (int,),
    "max_output_tokens": (int,),
    "max_tokens": (int,),
    "metadata": (dict,),
    "n": (int,),
    "previous_response_id": (str,),
    "reasoning": (dict,),
    "response_format": (dict,),
    "stop": (str, list),
    "stream": (bool,),
    "stream_options": (dict,),
    "temperature": (int, float),
    "text": (dict,),
    "tool_choice": (str, dict),
    "tools": (list,),
    "top_p": (int, float),
}
"""What the fields are that are read."""


def check_credential(http: HttpRequest) -> None:
    """Somebody must have signed the request; any key will do."""
    scheme, _, key = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Rejected(_NO_KEY, status=401)


def json_body(http: HttpRequest) -> dict[str, Any]:
    """The request's body, which must be an object whose fields are what they should be."""
    try:
        body = json.loads(http.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Rejected(_NO_JSON)
    for name, types in _TYPES.items():
        if body.get(name) is not None:
            check_type(name, body[name], types)
    return body


def check_type(place: str, value: object, types: tuple[type, ...]) -> None:
    """Check that a value is of one of some types."""
    if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
        return
    wanted = [name for kind, name in _NAMES if kind in types]
    expected = wanted[0] if len(wanted) == 1 else f"one of {' or '.join(wanted)}"
    got = next((name for kind, name in _NAMES if isinstance(value, kind)), "null")
    raise Rejected(
        f"Invalid type for '{place}': expected {expected}, but got {got} instead.",
        place,
        "invalid_type",
    )


def check_there(place: str, holder: Mapping[str, Any], *names: str) -> None:
    """Check that an object has some fields.

    Args:
        place: Where the object stands.
        holder: The object.
        names: The fields.
    """
    check_type(place, holder, (dict,))
    for name in names:
        if holder.get(name) is None:
            raise Rejected(
                f"Missing required parameter: '{place}.{name}'.", f"{place}.{name}", MISSING
            )


def check_not_empty(place: str, values: Sequence[object]) -> None:
    """Check that a list is not empty."""
    if not values:
        raise Rejected(
            f"Invalid '{place}': empty array. Expected an array with minimum length 1, but got an empty array "
            "instead.",
            place,
            "empty_array",
        )


def is_too_long(model: str, sections: Sequence[Section]) -> bool:
    """Whether a prompt does not fit into the model's context."""
    longest = context_tokens(model)
    return longest is not None and tokens_of(sections) > longest


def tokens_of(sections: Sequence[Section]) -> int:
    """Size of a prompt [tokens]."""
    return sum(section.tokens for section in sections)
