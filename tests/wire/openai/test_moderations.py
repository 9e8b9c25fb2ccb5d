"""Moderations flag nothing, and have the shape of the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]


def moderated(send: Call, **asked: object) -> Any:  # noqa: ANN401 - JSON
    return json.loads(send("/v1/moderations", asked).body)


def test_each_text_has_a_result_that_flags_nothing(send: Call) -> None:
    answer = moderated(send, input=["one", "two"])
    assert answer["model"] == "omni-moderation-latest"
    first, second = answer["results"]
    assert not first["flagged"]
    assert len(first["categories"]) == len(first["category_scores"]) == 13
    assert not any(first["categories"].values())
    assert first["category_scores"] != second["category_scores"]
    assert moderated(send, input="one")["results"] == [first]


def test_parts_of_a_message_are_looked_at_together(send: Call) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    (result,) = moderated(send, input=[{"type": "text", "text": "look"}, image])["results"]
    assert result["category_applied_input_types"]["violence"] == ["text", "image"]
    assert result["category_applied_input_types"]["hate"] == ["text"]


@pytest.mark.parametrize(
    "asked", [{}, {"input": []}, {"input": [{"type": "audio"}]}, {"input": "x", "model": "gpt-4o"}]
)
def test_what_cannot_be_moderated_is_refused(send: Call, asked: dict[str, Any]) -> None:
    assert send("/v1/moderations", asked).status == 400
