"""Checks of every request, with the messages of the real API.

Only what is known to be rejected is: by recordings, by documentation, or by errors that users have pasted. What goes
for one endpoint alone is in `chat_rules.py` and `response_rules.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.json_types import JsonObject
from harness.models.schemas import mistake
from harness.wire.api import PromptSection
from harness.wire.http import HttpRequest
from harness.wire.json_body import JsonError, parse
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
    "frequency_penalty": (int, float),
    "presence_penalty": (int, float),
    "top_logprobs": (int,),
    "parallel_tool_calls": (bool,),
    "store": (bool,),
    "include": (list,),
    "instructions": (str,),
    "max_completion_tokens": (int,),
    "max_output_tokens": (int,),
    "max_tokens": (int,),
    "metadata": (dict,),
    "logprobs": (bool,),
    "n": (int,),
    "previous_response_id": (str,),
    "background": (bool,),
    "conversation": (str, dict),
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

_BOUNDS: dict[str, tuple[float, float | None]] = {
    "dimensions": (1, 3072),
    "frequency_penalty": (-2, 2),
    "max_completion_tokens": (1, None),
    "max_tokens": (1, None),
    "n": (1, 128),
    "presence_penalty": (-2, 2),
    "temperature": (0, 2),
    "top_logprobs": (0, 20),
    "top_p": (0, 1),
}
"""The least and the greatest value of numbers (https://platform.openai.com/docs/api-reference/chat/create)."""

_LENGTHS = {"input": 2048, "messages": 100_000, "stop": 4, "tools": 128}
"""The most that lists may have; of `input`, that of embeddings."""

_DIGITS_SHOWN = 40


def check_credential(http: HttpRequest) -> None:
    """The request must have a key; any key is accepted."""
    scheme, _, key = http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Rejected(_NO_KEY, status=401)


def json_body(http: HttpRequest) -> JsonObject:
    """The request's body, which must be an object whose fields are what they should be."""
    if http.too_large:
        raise Rejected("Request body too large.", code="request_too_large", status=413)
    try:
        body = parse(http.body)
    except JsonError:
        body = None
    if not isinstance(body, dict):
        raise Rejected(_NO_JSON)
    check_fields(body)
    return body


def check_fields(body: JsonObject) -> None:
    """Check that the fields of a request are what they should be."""
    for name, types in _TYPES.items():
        if body.get(name) is not None:
            check_type(name, body[name], types)
    for name, (least, most) in _BOUNDS.items():
        if body.get(name) is not None:
            check_bounds(name, body[name], least, most)
    for name, longest in _LENGTHS.items():
        if isinstance(body.get(name), list):
            check_at_most(name, body[name], longest)


def check_bounds(place: str, value: float, least: float, most: float | None) -> None:
    """Check that a number is within bounds."""
    kind = "integer" if isinstance(value, int) else "decimal"
    if value < least:
        side, bound = "below minimum", f">= {least}"
    elif most is not None and value > most:
        side, bound = "above maximum", f"<= {most}"
    else:
        return
    raise Rejected(
        f"Invalid '{place}': {kind} {side} value. Expected a value {bound}, but got {_number(value)} instead.",
        place,
        f"{kind}_{side.replace('minimum', 'min').replace('maximum', 'max').replace(' ', '_')}_value",
    )


def check_at_most(place: str, values: Sequence[object], longest: int) -> None:
    """Check that a list is not too long."""
    if len(values) > longest:
        raise Rejected(
            f"Invalid '{place}': array too long. Expected an array with maximum length {longest}, but got an array with "
            f"length {len(values)} instead.",
            place,
            "array_above_max_length",
        )


def _number(value: float) -> str:
    text = str(value)
    return text if len(text) <= _DIGITS_SHOWN else f"{text[:_DIGITS_SHOWN]}..."


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


def check_there(place: str, holder: Mapping[str, object], *names: str) -> None:
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


def check_schema(place: str, what: str, schema: object, code: str | None = None) -> None:
    """Check that a JSON Schema is one, of an object.

    Args:
        place: Where it stands.
        what: What it is of, such as `function 'search'`.
        schema: The schema.
        code: What kind of mistake it is when it is none.
    """
    if schema is None:
        return
    wrong = mistake(schema)
    if wrong is None and isinstance(schema, dict) and schema.get("type", "object") != "object":
        wrong = (
            f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema['type']}\"'."
        )
    if wrong is not None:
        raise Rejected(f"Invalid schema for {what}: {wrong}", place, code)


def check_not_empty(place: str, values: Sequence[object]) -> None:
    """Check that a list is not empty."""
    if not values:
        raise Rejected(
            f"Invalid '{place}': empty array. Expected an array with minimum length 1, but got an empty array "
            "instead.",
            place,
            "empty_array",
        )


def is_too_long(model: str, sections: Sequence[PromptSection]) -> bool:
    """Whether a prompt does not fit into the model's context."""
    longest = context_tokens(model)
    return longest is not None and tokens_of(sections) > longest


def tokens_of(sections: Sequence[PromptSection]) -> int:
    """Size of a prompt [tokens]."""
    return sum(section.tokens for section in sections)
