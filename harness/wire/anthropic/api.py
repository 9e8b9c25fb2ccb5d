"""The API for one run: which request goes where, and what the server remembers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from harness.apis import APIS
from harness.json_types import JsonObject
from harness.provider import Refusal
from harness.units import Usage
from harness.wire.anthropic import errors
from harness.wire.anthropic.batches import Batches
from harness.wire.anthropic.context_edits import edited, tokens_of
from harness.wire.anthropic.envelope import betas_of, body_of, check_credential, version_of
from harness.wire.anthropic.errors import Rejection, not_found
from harness.wire.anthropic.files import Files
from harness.wire.anthropic.headers import STREAM, answer, encode
from harness.wire.anthropic.messages import Asked, Client, check, read_prompt
from harness.wire.anthropic.models import list_of_models, one_model
from harness.wire.anthropic.reply import message
from harness.wire.anthropic.stream import parts_of
from harness.wire.anthropic.threads import Threads
from harness.wire.anthropic.tokens import written_for_an_hour
from harness.wire.api import ApiContext, Completion, Ids, Moment, Prompt
from harness.wire.cache import PromptCache
from harness.wire.http import HttpRequest, HttpResponse

_HOST = APIS["anthropic"].host
_JSON_LINES = "application/x-jsonl"
_NO_FILES: Mapping[str, str | bytes] = {}


class Anthropic:
    """The Anthropic API.

    Args:
        desk: The server it stands in.
        message_threads: Whether the server holds conversations; otherwise it refuses to, and clients send them whole.
        files: Files that clients have uploaded before the run, by their ids: texts, or bytes.
    """

    def __init__(
        self,
        desk: ApiContext,
        *,
        message_threads: bool = True,
        files: Mapping[str, str | bytes] = _NO_FILES,
    ) -> None:
        self._desk = desk
        self._threads = Threads(message_threads)
        self._batches = Batches(desk)
        self._files = Files(files)
        self._cache = PromptCache()

    # -- requests -------------------------------------------------------------------------------------------------

    def read(self, http: HttpRequest, ids: Ids) -> Prompt | HttpResponse:
        """Parse a request: return the prompt for a model, or the API's own answer."""
        try:
            check_credential(http)
            if http.base is None:
                raise not_found("Not found")
            is_at_home = http.host == _HOST
            moment = self._desk.moment(ids)
            client = Client(
                version_of(http),
                betas_of(http),
                self._desk.models,
                self._files,
                moment.at_s,
                is_at_home,
            )
            if (http.method, http.path) == ("POST", "/v1/messages"):
                return self._message(http, client)
            return self._other(http, client, moment)
        except Rejection as rejection:
            return errors.rejected(rejection, self._desk.moment(ids))

    def _message(self, http: HttpRequest, client: Client) -> Prompt:
        body, thread = self._threads.join(body_of(http), client.betas)
        return read_prompt(body, client, thread=thread)

    def _other(self, http: HttpRequest, client: Client, moment: Moment) -> HttpResponse:
        """All that needs no model."""
        match http.method, http.path.strip("/").split("/"):
            case "POST", ["v1", "messages", "count_tokens"]:
                body = _count(body_of(http), client)
            case "GET", ["v1", "models"]:
                body = list_of_models(client.models, http.query)
            case "GET", ["v1", "models", name]:
                body = one_model(name, client.models)
            case "GET", ["v1", "messages", "batches", batch_id, "results"]:
                lines = self._batches.results(batch_id, moment.at_s)
                return answer(200, lines, moment, content_type=_JSON_LINES)
            case method, ["v1", "messages", "batches", *rest]:
                body = self._batch(method, rest, http, client, moment)
            case "GET", ["v1", "files", file_id, "content"]:
                file = self._files.download(file_id, moment.at_s)
                return answer(200, file.content, moment, content_type=file.media_type)
            case method, ["v1", "files", *rest]:
                body = self._file(method, rest, http, client, moment)
            case _:
                raise not_found("Not found")
        return answer(200, encode(body), moment)

    def _batch(
        self, method: str, rest: list[str], http: HttpRequest, client: Client, moment: Moment
    ) -> JsonObject:
        match method, rest:
            case "POST", []:
                read = partial(read_prompt, client=client, tier="batch")
                return self._batches.create(body_of(http), read, http, moment)
            case "GET", []:
                return self._batches.all(http.query, moment.at_s)
            case "GET", [batch_id]:
                return self._batches.one(batch_id, moment.at_s)
            case "DELETE", [batch_id]:
                return self._batches.delete(batch_id, moment.at_s)
            case "POST", [batch_id, "cancel"]:
                return self._batches.cancel(batch_id, moment)
        raise not_found("Not found")

    def _file(
        self, method: str, rest: list[str], http: HttpRequest, client: Client, moment: Moment
    ) -> JsonObject:
        match method, rest:
            case "POST", []:
                return self._files.upload(http, client.betas, moment)
            case "GET", []:
                return self._files.all(http.query, client.betas, moment.at_s)
            case "GET", [file_id]:
                return self._files.find(file_id, moment.at_s).told(client.betas)
            case "DELETE", [file_id]:
                return self._files.delete(file_id, moment.at_s)
        raise not_found("Not found")

    def usage(self, prompt: Prompt, now_s: float) -> Usage:
        """Input usage of a prompt, with the part read from a prompt cache."""
        asked: Asked = prompt.details
        read, written = self._cache.look_up(prompt, now_s, asked.facts.min_cached_tokens)
        hour = written_for_an_hour(prompt.sections, read, written)
        return Usage(prompt.tokens - read - written, 0, read, written, hour)

    def remember(self, prompt: Prompt, now_s: float) -> None:
        """Cache the marked prefixes of a prompt when its answer begins."""
        asked: Asked = prompt.details
        self._cache.remember(prompt, now_s, asked.facts.min_cached_tokens)

    # -- answers --------------------------------------------------------------------------------------------------

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        body = message(prompt, spoken, moment)
        self._remember(prompt, body["id"], body["content"])
        return answer(200, encode(body), moment)

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer as a stream of parts; the last part only marks the end."""
        parts, message_id, content = parts_of(prompt, spoken, moment)
        self._remember(prompt, message_id, content)
        return answer(200, parts, moment, content_type=STREAM)

    def refused(self, refusal: Refusal, moment: Moment) -> HttpResponse:
        """The error response of a refused attempt."""
        return errors.refused(refusal, moment)

    def broken_off(self, refusal: Refusal, moment: Moment) -> bytes:
        """The error event that ends a stream early."""
        return errors.broken_off(refusal, moment)

    def _remember(self, prompt: Prompt, message_id: str, content: list[JsonObject]) -> None:
        asked: Asked = prompt.details
        if asked.thread is not None:
            self._threads.keep(asked.thread, message_id, content)


def _count(body: JsonObject, client: Client) -> JsonObject:
    """The size of a prompt that is not sent."""
    body = check(body, client).body
    left = edited(body)
    counted: JsonObject = {"input_tokens": tokens_of(left.body)}
    if left.applied is not None:
        counted["context_management"] = {"original_input_tokens": tokens_of(body)}
    return counted
