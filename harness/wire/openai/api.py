"""OpenAI's API for one run: which endpoint handles a request."""

from __future__ import annotations

from urllib.parse import unquote

from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.units import Usage
from harness.wire.api import ApiContext, Completion, Feed, Ids, Moment, Prompt, Understood
from harness.wire.cache import PromptCache
from harness.wire.http import HttpRequest, HttpResponse
from harness.wire.openai.batches import Batches
from harness.wire.openai.chat import ChatWish, whole_chat
from harness.wire.openai.chat_stream import stream_chat
from harness.wire.openai.conversations import Conversations
from harness.wire.openai.encoding import pretty
from harness.wire.openai.errors import (
    Rejected,
    answer,
    chat_broken_off,
    problem_of,
    response_broken_off,
)
from harness.wire.openai.files import Files
from harness.wire.openai.headers import JSON, headers
from harness.wire.openai.models import listing, one
from harness.wire.openai.moderations import moderation
from harness.wire.openai.reader import OWN_HOST, Reader
from harness.wire.openai.responses import Responses
from harness.wire.openai.validate import check_credential, json_body

_BINARY = "application/octet-stream"

_CACHE_MIN_TOKENS = 1024
_CACHE_STEP_TOKENS = 128
"""The shortest prefix that is cached, and in which steps its use is counted [tokens]
(https://platform.openai.com/docs/guides/prompt-caching)."""


class OpenAI:
    """OpenAI's API for one run.

    Args:
        desk: The server it belongs to.
    """

    def __init__(self, desk: ApiContext) -> None:
        self._desk = desk
        self._cache = PromptCache()
        self._conversations = Conversations()
        self._responses = Responses(self._conversations)
        self._reader = Reader(self._responses, desk.models)
        self._files = Files()
        self._batches = Batches(desk, self._files, self._reader.of_batch, self.whole)
        self._events: dict[str, int] = {}
        """How many events there are in each stream of a response, by what its ids follow from."""

    def read(self, http: HttpRequest, ids: Ids) -> Understood:
        """Parse a request: return the prompt for a model, or the API's own answer."""
        try:
            check_credential(http)
            understood = self._asked(http) or self._desk.outage() or self._own(http, ids)
        except Rejected as rejected:
            response = answer(rejected.problem, self._desk.moment(ids))
            response.hint = rejected.hint
            return response
        if understood is None:
            return HttpResponse(204, headers(self._desk.moment(ids), JSON), b"")
        if isinstance(understood, bytes):
            return HttpResponse(200, headers(self._desk.moment(ids), _BINARY), understood)
        if isinstance(understood, dict):
            head = headers(self._desk.moment(ids), JSON)
            return HttpResponse(200, head, pretty(understood) + b"\n")
        return understood

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        """What is read for a prompt; every prefix is cached without being asked, and writing it costs nothing."""
        read, _ = self._cache.look_up(prompt, now_s, _CACHE_MIN_TOKENS)
        read -= read % _CACHE_STEP_TOKENS
        return Usage(prompt.tokens - read, 0, cache_read_tokens=read)

    def remember(self, prompt: Prompt, now_s: float) -> None:
        """Keep every prefix of a prompt in the cache; its answer begins."""
        self._cache.remember(prompt, now_s, _CACHE_MIN_TOKENS)

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        if isinstance(prompt.details, ChatWish):
            return whole_chat(prompt, spoken, moment)
        return self._responses.whole(prompt, spoken, moment)

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer as a stream of parts; the last part only marks the end."""
        if isinstance(prompt.details, ChatWish):
            return stream_chat(prompt, spoken, moment)
        response = self._responses.stream(prompt, spoken, moment)
        self._events[moment.ids.root] = len(response.body)
        return response

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        """The error response of a refused attempt."""
        return answer(problem_of(refusal, moment), moment, refusal.retry_after_s)

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        """The error event that ends a stream early."""
        problem = problem_of(refusal, moment)
        events = self._events.get(moment.ids.root)
        if events is None:
            return chat_broken_off(problem)
        # How many have been sent is not known; this is more than that, so that the numbers still rise.
        return response_broken_off(problem, events - 1)

    def _asked(self, http: HttpRequest) -> Prompt | None:
        """What a model is asked; None if it is asked nothing."""
        match http.method, _segments(http):
            case "POST", ["v1", "chat", "completions"]:
                return self._reader.chat(json_body(http), http.host)
            case "POST", ["v1", "responses"]:
                prompt = self._reader.response(json_body(http), http.host)
                self._responses.check_unlocked(prompt)
                return prompt
            case "POST", ["v1", "responses", "compact"]:
                return self._reader.compaction(json_body(http), http.host)
        return None

    def _own(self, http: HttpRequest, ids: Ids) -> JsonObject | Feed | bytes | None:
        """What the API answers without a model."""
        match http.method, _segments(http):
            case method, ["v1", "responses", *rest]:
                return self._response(method, rest, http, self._desk.moment(ids))
            case method, ["v1", "conversations", *rest]:
                return self._conversation(method, rest, http, self._desk.moment(ids))
            case "POST", ["v1", "embeddings"]:
                return self._reader.embedding(json_body(http), http.host)
            case "POST", ["v1", "moderations"]:
                return moderation(json_body(http), ids)
            case "GET", ["v1", "models"]:
                return listing(self._desk.models, own_host=http.host == OWN_HOST)
            case "GET", ["v1", "models", *model] if model:
                name = unquote("/".join(model))
                return one(name, self._desk.models, own_host=http.host == OWN_HOST)
            case "POST", ["v1", "traces", "ingest"]:  # of openai-agents; nobody can read them
                json_body(http)
                return None
            case method, ["v1", "files", *rest]:
                return self._file(method, rest, http, self._desk.moment(ids))
            case method, ["v1", "batches", *rest]:
                return self._batch(method, rest, http, self._desk.moment(ids))
        raise _no_such_url(http)

    def _response(
        self, method: str, rest: list[str], http: HttpRequest, moment: Moment
    ) -> JsonObject | Feed:
        match method, rest:
            case "POST", ["input_tokens"]:
                tokens = self._reader.response(json_body(http), http.host).tokens
                return {"object": "response.input_tokens", "input_tokens": tokens}
            case "GET", [response_id]:
                return self._responses.get(response_id, http.query, moment)
            case "DELETE", [response_id]:
                return self._responses.delete(response_id)
            case "POST", [response_id, "cancel"]:
                return self._responses.cancel(response_id, moment.at_s)
            case "GET", [response_id, "input_items"]:
                return self._responses.input_items(response_id, http.query)
        raise _no_such_url(http)

    def _conversation(
        self, method: str, rest: list[str], http: HttpRequest, moment: Moment
    ) -> JsonObject:
        kept = self._conversations
        match method, rest:
            case "POST", []:
                return kept.create(json_body(http), moment)
            case "GET", [name]:
                return kept.find(name).body
            case "POST", [name]:
                return kept.update(name, json_body(http))
            case "DELETE", [name]:
                return kept.delete(name)
            case "POST", [name, "items"]:
                return kept.add(name, json_body(http), moment.ids)
            case "GET", [name, "items"]:
                return kept.items(name, http.query)
            case "GET", [name, "items", item]:
                return kept.item(name, item)
            case "DELETE", [name, "items", item]:
                return kept.remove(name, item)
        raise _no_such_url(http)

    def _file(
        self, method: str, rest: list[str], http: HttpRequest, moment: Moment
    ) -> JsonObject | bytes:
        match method, rest:
            case "POST", []:
                return self._files.upload(http, moment)
            case "GET", []:
                return self._files.all(http.query)
            case "GET", [file_id]:
                return self._files.find(file_id).object
            case "GET", [file_id, "content"]:
                return self._files.find(file_id).content
            case "DELETE", [file_id]:
                return self._files.delete(file_id)
        raise _no_such_url(http)

    def _batch(self, method: str, rest: list[str], http: HttpRequest, moment: Moment) -> JsonObject:
        match method, rest:
            case "POST", []:
                return self._batches.create(json_body(http), http, moment)
            case "GET", []:
                return self._batches.all(http.query, moment.at_s)
            case "GET", [batch_id]:
                return self._batches.one(batch_id, moment.at_s)
            case "POST", [batch_id, "cancel"]:
                return self._batches.cancel(batch_id, moment)
        raise _no_such_url(http)


def _segments(http: HttpRequest) -> list[str]:
    if http.base is None:
        raise _no_such_url(http)
    return http.path.strip("/").split("/")


def _no_such_url(http: HttpRequest) -> Rejected:
    return Rejected(f"Invalid URL ({http.method} {http.path})", status=404)
