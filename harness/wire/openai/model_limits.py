"""What single models of OpenAI do not do, as data with a source each; the words are those of published errors."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from harness.json_types import JsonObject
from harness.wire.openai.errors import Rejected
from harness.wire.openai.families import default_effort, family_of, undated
from harness.wire.openai.limits import check_value

_MODELS = "https://platform.openai.com/docs/models"


class Limit(NamedTuple):
    """The longest answer of some models."""

    models: re.Pattern[str]
    """Their names, without a date."""
    tokens: int


_LONGEST: Final = tuple(
    Limit(re.compile(models), tokens)
    for models, tokens in (
        # https://platform.openai.com/docs/models, "max output tokens" of each
        (r"gpt-3\.5-turbo(-1106)?|gpt-4-turbo.*|gpt-4-(1106|0125)-preview", 4_096),
        (r"gpt-4", 8_192),
        (r"gpt-4o(-mini)?(-search-preview)?|chatgpt-4o-latest", 16_384),
        (r"gpt-4\.1(-mini|-nano)?", 32_768),
        (r"o1-preview", 32_768),
        (r"o1-mini", 65_536),
        (r"o1|o1-pro|o3|o3-mini|o3-pro|o4-mini", 100_000),
        (r"gpt-5(\.\d+)?(-mini|-nano)?", 128_000),
    )
)

_ONLY_RESPONSES = re.compile(
    r"o[13]-pro|gpt-5(\.\d+)?-pro|.*-codex.*|codex-.*|.*-deep-research|computer-use-preview"
)
"""Models of the Responses API alone (https://platform.openai.com/docs/models, "endpoints" of each)."""
_NO_CHAT = re.compile(
    r"text-embedding.*|whisper.*|tts.*|dall-e.*|gpt-image.*|.*-instruct.*|davinci.*|babbage.*|.*moderation.*|"
    r".*-(transcribe|tts)|text-davinci.*|sora.*"
)
_NO_RESPONSES = re.compile(rf"({_NO_CHAT.pattern}|.*-audio.*|.*-search-preview|.*realtime.*)")

_NO_SCHEMA = re.compile(r"gpt-3\.5.*|gpt-4|gpt-4-.*|gpt-4o-2024-05-13|o1-(mini|preview).*")
"""Without structured outputs: https://platform.openai.com/docs/guides/structured-outputs#supported-models."""
_NO_JSON = re.compile(r"gpt-4(-0314|-0613|-32k.*)?|gpt-3\.5-turbo-(0301|0613|16k.*)")
"""Without JSON mode, which came with the models of November 2023."""
_SEARCHES = re.compile(r".*-search-(preview|api)")
_FIRST = re.compile(r"o1-mini|o1-preview")
"""The first reasoning models, without system messages and tools: https://platform.openai.com/docs/models/o1-mini."""
_SAMPLED = re.compile(r"gpt-5(?!.*chat).*")
"""These are sampled otherwise than usual without reasoning alone: https://platform.openai.com/docs/guides/latest-model
("parameter compatibility")."""
_PREDICTS = re.compile(r"gpt-4o(-mini)?|gpt-4\.1(-mini|-nano)?")
_BESIDE_PREDICTION = ("tools", "logprobs", "presence_penalty", "frequency_penalty", "max_completion_tokens", "audio")  # fmt: skip
"""https://platform.openai.com/docs/guides/predicted-outputs#limitations; the words are a guess."""


def check_model_of_chat(asked: JsonObject) -> None:
    """Check that a model takes part in chats, and what a chat asks of it, whose shape is right."""
    model = undated(asked["model"])
    if _ONLY_RESPONSES.fullmatch(model):
        message = "This model is only supported in v1/responses and not in v1/chat/completions."
        raise Rejected(message, "model", None, 404)
    if _NO_CHAT.fullmatch(model):
        raise Rejected(
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use "
            "v1/completions?",
            "model",
            None,
            404,
        )
    for name in ("max_tokens", "max_completion_tokens"):
        check_length_of_answer(model, name, asked.get(name))
    check_verbosity(asked["model"], "verbosity", asked.get("verbosity"))
    check_format(asked["model"], (asked.get("response_format") or {}).get("type"))
    if asked.get("web_search_options") is not None and not _SEARCHES.fullmatch(model):
        raise Rejected("Web search options not supported with this model.")
    check_sampling(asked["model"], asked.get("reasoning_effort"), asked)
    if asked.get("tools") and _FIRST.fullmatch(model):
        raise _unsupported("tools")
    for number, message in enumerate(asked["messages"]):
        if message["role"] == "system" and _FIRST.fullmatch(model):
            raise Rejected(
                f"Unsupported value: 'messages[{number}].role' does not support 'system' with this model.",
                f"messages[{number}].role",
                "unsupported_value",
            )
    if asked.get("prediction"):
        _check_prediction(model, asked)


def check_model_of_response(asked: JsonObject) -> None:
    """Check that a model takes part in the Responses API, and what is asked of it."""
    if _NO_RESPONSES.fullmatch(undated(asked["model"])):
        message = f"The requested model '{asked['model']}' cannot be used with the Responses API."
        raise Rejected(message, "model", "unsupported_model")
    text = asked.get("text") or {}
    check_verbosity(asked["model"], "text.verbosity", text.get("verbosity"))
    check_sampling(asked["model"], (asked.get("reasoning") or {}).get("effort"), asked)
    check_format(asked["model"], (text.get("format") or {}).get("type"))


def check_model_of_embedding(model: str) -> None:
    """Check that a model embeds."""
    if family_of(model) is not None:
        raise Rejected("You are not allowed to generate embeddings from this model", status=403)


def check_length_of_answer(model: str, place: str, tokens: int | None) -> None:
    """Check that an answer may be so long."""
    longest = next((one.tokens for one in _LONGEST if one.models.fullmatch(model)), None)
    if tokens is not None and longest is not None and tokens > longest:
        raise Rejected(
            f"{place} is too large: {tokens}. This model supports at most {longest} completion tokens, whereas you "
            f"provided {tokens}.",
            place,
            "invalid_value",
        )


def check_verbosity(model: str, place: str, verbosity: object) -> None:
    """Check how much an answer says; models before GPT-5 know one value (as published)."""
    check_value(place, verbosity, ("low", "medium", "high"))
    family = family_of(model)
    is_older = family is not None and not model.startswith(("gpt-5", "gpt-6"))
    if verbosity not in (None, "medium") and is_older:
        raise Rejected(
            f"Unsupported value: '{verbosity}' is not supported with the '{model}' model. Supported values are: "
            "'medium'.",
            place,
            "unsupported_value",
        )


def check_sampling(model: str, effort: str | None, asked: JsonObject) -> None:
    """Check that a model is sampled as usual where it reasons."""
    if not _SAMPLED.fullmatch(model) or (effort or default_effort(model)) in (None, "none"):
        return
    for name in ("temperature", "top_p"):
        if asked.get(name) not in (None, 1):
            raise _unsupported(name)


def _unsupported(name: str) -> Rejected:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return Rejected(message, name, "unsupported_parameter")


def check_format(model: str, kind: object) -> None:
    """Check that a model writes a format."""
    blind = (kind == "json_schema" and _NO_SCHEMA.fullmatch(model)) or (
        kind == "json_object" and _NO_JSON.fullmatch(model)
    )
    if not blind:
        return
    more = (
        " Learn more about supported models at the Structured Outputs guide: "
        "https://platform.openai.com/docs/guides/structured-outputs"
        if kind == "json_schema"
        else ""
    )
    raise Rejected(
        f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this model.{more}",
        "response_format",
    )


def _check_prediction(model: str, asked: JsonObject) -> None:
    if not _PREDICTS.fullmatch(model):
        raise _unsupported("prediction")
    wrong = next((name for name in _BESIDE_PREDICTION if asked.get(name)), None)
    if wrong is None and (asked.get("n") or 1) > 1:
        wrong = "n"
    if wrong is not None:
        raise Rejected(
            f"Unsupported parameter: '{wrong}' is not supported with 'prediction'.",
            wrong,
            "unsupported_parameter",
        )
