"""The API for one run: which request goes where, and what the server remembers."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from harness.apis import APIS
from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.units import Usage
from harness.wire.api import ApiContext, Completion, Ids, Moment, Prompt, no_such_model
from harness.wire.cache import PromptCache
from harness.wire.gemini import errors
from harness.wire.gemini.asking import Asked, call_key, read_prompt
from harness.wire.gemini.cached_contents import CachedContents
from harness.wire.gemini.catalogue import NAMES, Facts, facts_of, is_known
from harness.wire.gemini.contents import turns_of
from harness.wire.gemini.embeddings import embed, embed_all
from harness.wire.gemini.envelope import check_credential, json_body
from harness.wire.gemini.errors import Rejection
from harness.wire.gemini.headers import JSON, STREAM, answer, pretty
from harness.wire.gemini.models import list_of_models, one_model
from harness.wire.gemini.proto import read
from harness.wire.gemini.reply import whole
from harness.wire.gemini.stream import parts
from harness.wire.gemini.tokens import details_of, sections_of
from harness.wire.http import HttpRequest, HttpResponse

_HOST = APIS["gemini"].host
_GENERATES = {"generateContent": False, "streamGenerateContent": True}
"""Whether the answer is a stream."""


class Gemini:
    """The Gemini API.

    Args:
        desk: The server it stands in.
    """

    def __init__(self, desk: ApiContext) -> None:
        self._desk = desk
        self._cached = CachedContents()
        self._cache = PromptCache()
        self._calls: dict[str, list[str]] = {}
        """The ids of function calls that no response has come to, by what else is known of them; clients may not send ids back."""

    # -- requests -------------------------------------------------------------------------------------------------

    def read(self, http: HttpRequest, ids: Ids) -> Prompt | HttpResponse:
        """Parse a request: return the prompt for a model, or the API's own answer."""
        moment = self._desk.moment(ids)
        try:
            check_credential(http)
            collection, _, rest = http.path.removeprefix("/v1beta/").partition("/")
            name, _, verb = unquote(rest).partition(":")
            if http.base is None:
                raise _not_found()
            if collection == "models" and http.method == "POST" and verb in _GENERATES:
                return self._prompt(http, name, verb, moment)
            if collection == "models":
                body = self._of_model(http, name, verb)
            elif collection == "cachedContents" and not verb:
                body = self._of_cache(http, name, moment)
            else:
                raise _not_found()
        except Rejection as rejection:
            return errors.rejected(rejection, moment)
        return answer(200, pretty(body), moment)

    def _prompt(self, http: HttpRequest, name: str, verb: str, moment: Moment) -> Prompt:
        body = read(json_body(http), "GenerateContentRequest")
        facts = self._facts(name, verb, http, "text", "image", "speech")
        cached = body.get("cachedContent")
        return read_prompt(
            body,
            facts,
            self._cached.use(cached, facts, moment.at_s) if cached else None,
            self._id_of,
            stream=_GENERATES[verb],
            is_array=parse_qs(http.query).get("alt", [""])[-1] != "sse",
        )

    def _of_model(self, http: HttpRequest, name: str, verb: str) -> JsonObject:
        match http.method, name, verb:
            case "GET", "", "":
                return list_of_models(self._desk.models, http.query)
            case "GET", _, "":
                return one_model(name, self._desk.models)
            case "POST", _, "countTokens":
                facts = self._facts(name, verb, http, "text", "embedding", "image", "speech")
                return _count(read(json_body(http), "CountTokensRequest"), facts)
            case "POST", _, "embedContent":
                self._facts(name, verb, http, "embedding")
                return embed(read(json_body(http), "EmbedContentRequest"), name)
            case "POST", _, "batchEmbedContents":
                self._facts(name, verb, http, "embedding")
                return embed_all(read(json_body(http), "BatchEmbedContentsRequest"), name)
        raise _not_found()

    def _of_cache(self, http: HttpRequest, name: str, moment: Moment) -> JsonObject:
        named = f"cachedContents/{name}"
        match http.method, name:
            case "POST", "":
                body = read(json_body(http), "CachedContent")
                model = body.get("model", "").removeprefix("models/")
                facts = self._facts(model, "createCachedContent", http, "text")
                return self._cached.create(body, facts, moment)
            case "GET", "":
                return self._cached.all(http.query, moment.at_s)
            case "GET", _:
                return self._cached.one(named, moment.at_s)
            case "PATCH", _:
                return self._cached.update(
                    named, read(json_body(http), "CachedContent"), moment.at_s
                )
            case "DELETE", _:
                return self._cached.delete(named, moment.at_s)
        raise _not_found()

    def _facts(self, name: str, verb: str, http: HttpRequest, *kinds: str) -> Facts:
        """What is known of a model that must be of one of some kinds."""
        facts = facts_of(name)
        known = http.host != _HOST or is_known(name, self._desk.models)
        if not known or facts.kind not in kinds:
            version = (http.base or "/v1beta").strip("/")
            raise Rejection(
                f"models/{name} is not found for API version {version}, or is not supported for {verb}. "
                "Call ListModels to see the list of available models and their supported methods.",
                404,
                hint="" if known else no_such_model(name, [*NAMES, *self._desk.models]),
            )
        return facts

    def _id_of(self, call: JsonObject) -> str:
        found = self._calls.get(call_key(call))
        if not found:
            return ""
        first = found.pop(0)
        if not found:
            del self._calls[call_key(call)]
        return first

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        """Input usage of a prompt, with the part read from a cache; writing to it costs nothing."""
        asked: Asked = prompt.details
        if asked.cached is not None:
            read_tokens = asked.cached.tokens
        else:
            read_tokens, _ = self._cache.look_up(prompt, now_s, asked.facts.min_cached_tokens)
        return Usage(prompt.tokens - read_tokens, 0, cache_read_tokens=read_tokens)

    def remember(self, prompt: Prompt, now_s: float) -> None:
        """Keep every prefix of a prompt that no cached content was made for; its answer begins."""
        asked: Asked = prompt.details
        self._cache.remember(prompt, now_s, asked.facts.min_cached_tokens)

    # -- answers --------------------------------------------------------------------------------------------------

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        body = whole(prompt, spoken, moment.ids)
        self._remember_calls(prompt, spoken, moment.ids)
        return answer(200, pretty(body), moment, tier=prompt.details.tier)

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer as a stream of parts; the last part only marks the end."""
        asked: Asked = prompt.details
        body = parts(prompt, spoken, moment.ids)
        self._remember_calls(prompt, spoken, moment.ids)
        return answer(200, body, moment, JSON if asked.is_array else STREAM, asked.tier)

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        """The error response of a refused attempt."""
        return errors.refused(refusal, moment)

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        """The error event that ends a stream early."""
        del moment
        return errors.broken_off(refusal)

    def _remember_calls(self, prompt: Prompt, spoken: Completion, ids: Ids) -> None:
        del prompt
        for name, wish in zip(ids.tools, spoken.reply.tool_calls, strict=False):
            key = call_key({"name": wish.tool, "args": wish.arguments})
            self._calls.setdefault(key, []).append(name)


def _count(body: JsonObject, facts: Facts) -> JsonObject:
    """The size of a prompt that is not sent."""
    asked = body.get("generateContentRequest", body)
    contents = asked.get("contents") or []
    if not contents:
        raise Rejection("* CountTokensRequest.contents: contents is not specified\n")
    turns = turns_of(contents, "CountTokensRequest")
    sections, modalities = sections_of(
        asked.get("systemInstruction"), asked.get("tools") or (), turns, facts
    )
    total = sum(section.tokens for section in sections)
    return {"totalTokens": total, "promptTokensDetails": details_of(modalities)}


def _not_found() -> Rejection:
    return Rejection("Requested entity was not found.", 404)
