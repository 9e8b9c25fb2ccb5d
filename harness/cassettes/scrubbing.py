"""Keep secrets out of cassettes: an allow-list of headers, credentials in URLs, and secrets in bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from harness.cassettes.cassette import Chunk, Headers, RecordedRequest, RecordedResponse
from harness.scrub import REMOVED, without_secrets

REQUEST_HEADERS = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "openai-beta",
        "retry-after",
        "transfer-encoding",
        "user-agent",
        "x-harness-agent",
    ]
)
"""Headers of requests that are kept, besides those that begin as `KEPT_PREFIXES` say."""

RESPONSE_HEADERS = frozenset(
    [
        "cache-control",
        "cf-ray",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "server",
        "server-timing",
        "transfer-encoding",
        "vary",
        "x-envoy-upstream-service-time",
        "x-request-id",
        "x-should-retry",
    ]
)
"""Headers of responses that are kept."""

_NOT_SECRET_HEADERS = frozenset(
    {"idempotency-key", "x-stainless-idempotency-key", "sec-websocket-key"}
)

KEPT_PREFIXES = ("x-stainless-", "anthropic-ratelimit-", "x-ratelimit-", "anthropic-fallback-")

_CREDENTIAL = re.compile(
    r"(?i)^(?:.*[-_.])?(?:key|api[-_]?key|apikey|access[-_]?token|auth|authorization|token|secret|client[-_]?secret|password|passwd|pwd|"
    r"passphrase|sig|signature|credential|credentials|session|session[-_]?id|sid|jwt|bearer|cookie|private[-_]?key|refresh[-_]?token|"
    r"id[-_]?token|subscription[-_]?key|code[-_]?verifier)$"
)
"""Names of query parameters and of fields whose values are secrets."""

_NOT_SECRET = frozenset(
    {"idempotency_key", "prompt_cache_key", "cache_key", "primary_key", "foreign_key", "signature"}
)
"""Fields of JSON bodies that are called like a secret and are none."""

_RARELY_SECRET = frozenset({"key", "token", "session", "auth", "sig", "code", "sid"})
"""Fields whose values are words more often than secrets; a long one without spaces, of letters and digits, is a secret."""

_LONG = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[-\w./+=~]{16,}$")

_IDS = re.compile(
    r"""(?x)
    \b org-[A-Za-z0-9]{8,} \b | \b proj_[A-Za-z0-9]{8,} \b | \b wrkspc_[A-Za-z0-9]{8,} \b | \b user-[A-Za-z0-9]{20,} \b
    """
)
"""Ids of organisations, projects and workspaces."""

_MORE_KEYS = re.compile(
    r"""(?x)
      \b (?: AKIA | ASIA ) [A-Z0-9]{12,}                                  # AWS
    | \b ya29\.[-\w]{10,}  | \b 1//[-\w]{20,}                             # Google OAuth
    | \b AIza[-\w]{20,}
    | \b (?: ghp | gho | ghu | ghs | ghr ) _ \w{16,} | \b github_pat_\w{16,}
    | \b glpat-[-\w]{12,} | \b (?: npm | pypi | dop_v1 | hf | r8 | gsk | fw | tgp_v1 | pplx | nvapi | lsv2_pt | sntrys | shpat | sq0atp | xoxe ) [-_][-\w.]{12,}
    | \b pypi-[-\w]{16,} | \b SG\.[-\w]{12,}\.[-\w]{12,} | \b key-[0-9a-f]{24,}
    | \b (?: sk | pk | rk | whsec ) [-_][-\w]{8,}
    | \b eyJ[-\w]{8,}\.[-\w]{4,}(?:\.[-\w]*)?
    | \b xox[abposr]-[-\w]{8,} | https://hooks\.slack\.com/services/[\w/]+ | https://discord(?:app)?\.com/api/webhooks/[\w/-]+
    | \b AccountKey=[^;\s"']{12,} | \b SharedAccessSignature=[^;\s"']{8,}
    | \b \d{8,10}:AA[-\w]{30,}                                            # Telegram
    """
)

_TOLD_ID = re.compile(
    r"(?i)(\b(?:organi[sz]ation|workspace|org|tenant|account)(?:[-_ ]?id)?\b[^0-9a-z]{1,4}(?:of |is |id )?)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
"""Where a text, such as that of a rate limit, names an organisation by its id."""

_TOLD = re.compile(
    r"""(?ix)
    ( \b (?: password | passwd | pwd | passphrase | api[ _-]?key | access[ _-]?key | secret[ _-]?key | secret[ _-]?access[ _-]?key
        | client[ _-]?secret | (?: access | auth | refresh | id | session | security | bearer ) [ _-]? token | session[ _-]?id | private[ _-]?key )
      (?: \s{0,3} [:=] \s{0,3} (?= [^\s"'\\,;&<>(){}\[\]] {6,} ) | \s is \s (?= [^\s"'\\,;&<>]* \d ) ) )
    [^\s"'\\,;&<>(){}\[\]] {6,200}
    """
)
"""Something in a text that is called a secret, and its value after `:`, `=` or "is"."""

_HEADER_LINE = re.compile(
    r"""(?ix) (\b (?: (?:proxy-)? authorization | (?:set-)? cookie | x-api-key | api-key ) : \s{0,3} ) [^"'\\\r\n\[] [^"'\\\r\n]{3,2000}"""
)
"""A header that is a secret, in a text."""

_BASIC = re.compile(r"(?i)(\b(?:basic|bearer) )(?=[^\s\"'\\]*[\d=])[-A-Za-z0-9+/_.~]{8,}={0,2}")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)

Scrubber = Callable[[str], str]
"""Takes secrets out of a text that goes into a file; of the user's own."""


def is_credential(name: str) -> bool:
    """Whether a query parameter or a header of that name is a secret."""
    return _CREDENTIAL.match(name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbing:
    """What is taken out of requests and responses before they are written."""

    scrubbers: tuple[Scrubber, ...] = ()
    """Functions of the user's own; each is given every text, after what is built in."""
    keep_headers: frozenset[str] = frozenset()
    """Headers that are kept besides, by their names in lower case."""
    known: tuple[str, ...] = ()
    """Values that are secrets, the longest first."""

    def knowing(self, request: RecordedRequest, response: RecordedResponse) -> Scrubbing:
        """The same, for an exchange whose credentials are known: they are taken out wherever they stand."""
        found = {
            part
            for headers in (request.headers, response.headers)
            for part in _credentials(headers)
        }
        found |= {value for name, value in parse_qsl(request.query) if is_credential(name)}
        long = sorted(
            (each for each in found if len(each) >= _KNOWN_MIN), key=lambda each: (-len(each), each)
        )
        return replace(self, known=(*self.known, *long))

    def request(self, request: RecordedRequest) -> RecordedRequest:
        """A request without secrets."""
        return replace(
            request,
            url=self._text(scrubbed_url(request.url)),
            headers=self._headers(request.headers, REQUEST_HEADERS),
            body=self._body(request.body),
        )

    def response(self, response: RecordedResponse) -> RecordedResponse:
        """A response without secrets; the sizes of its chunks fit what is left."""
        body = response.body
        timing = response.timing
        if timing is None or not timing.chunks:
            body = self._body(body)
        else:
            without = self._body(body)
            if without != body:
                timing = replace(timing, chunks=_resized(timing.chunks, body, without))
                body = without
        headers = self._headers(response.headers, RESPONSE_HEADERS)
        return replace(response, headers=headers, body=body, timing=timing)

    def text(self, text: str) -> str:
        """A text without secrets."""
        return self._text(scrubbed_text(text))

    def _headers(self, headers: Headers, allowed: frozenset[str]) -> Headers:
        return tuple(
            (name, self._text(scrubbed_text(value)))
            for name, value in headers
            if name.lower() in allowed
            or name.lower() in self.keep_headers
            or name.lower().startswith(KEPT_PREFIXES)
        )

    def _body(self, body: bytes) -> bytes:
        for value in self.known:
            body = body.replace(value.encode("utf-8", "surrogatepass"), REMOVED.encode())
        body = scrubbed_body(body)
        if not self.scrubbers:
            return body
        try:
            return self._text(body.decode()).encode()
        except UnicodeDecodeError:
            return body

    def _text(self, text: str) -> str:
        for value in self.known:
            text = text.replace(value, REMOVED)
        for scrubber in self.scrubbers:
            text = scrubber(text)
        return text


_KNOWN_MIN = 8
"""Shorter values are words [characters]."""


def _credentials(headers: Headers) -> Iterator[str]:
    """The secrets in the headers of an exchange: the whole values, and what follows the word for their kind."""
    for name, value in headers:
        if _SECRET_HEADER.match(name) or (
            is_credential(name) and name.lower() not in _NOT_SECRET_HEADERS
        ):
            yield value
            yield from (part.partition("=")[2] or part for part in re.split(r"[;,\s]+", value))


def scrubbed_text(text: str) -> str:
    """A text of a body without what looks like a secret."""
    text = _PRIVATE_KEY.sub(REMOVED, without_secrets(text))
    for pattern in (_MORE_KEYS, _IDS):
        text = pattern.sub(REMOVED, text)
    for named in (_TOLD_ID, _HEADER_LINE, _TOLD, _BASIC):
        text = named.sub(rf"\g<1>{REMOVED}", text)
    return text


def scrubbed_url(url: str) -> str:
    """A URL without credentials: user and password, secret parameters, keys in its path."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if query:
        pairs = [
            (name, REMOVED if is_credential(name) else scrubbed_text(value))
            for name, value in parse_qsl(query, keep_blank_values=True)
        ]
        query = urlencode(pairs, safe="[]:/,")
    return urlunsplit((parts.scheme, host, scrubbed_text(parts.path), query, ""))


def scrubbed_body(body: bytes) -> bytes:
    """A body without what looks like a secret, or is called one in JSON or a form.

    JSON keeps its layout: what is replaced are the texts of values.
    """
    if not body:
        return body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return scrubbed_text(body.decode("latin-1")).encode("latin-1", "replace")
    without = scrubbed_text(text)
    data = _json_values(text)
    for value in data:
        without = without.replace(value, REMOVED)
    if (
        not data
        and "=" in text
        and not text.lstrip().startswith(("{", "[", "data:", "event:", "<"))
    ):
        without = _form(without)
    return without.encode("utf-8", "surrogatepass")


def _form(text: str) -> str:
    """A form of names and values without secret values."""

    def part(pair: str) -> str:
        name, equals, _ = pair.partition("=")
        return f"{name}={quote(REMOVED, safe='[]')}" if equals and is_credential(name) else pair

    return "&".join(map(part, text.split("&"))) if re.match(r"^[\w.%+-]+=[^\s]*$", text) else text


_PAIR = re.compile(r'"((?:[^"\\]|\\.){1,80})"\s*:\s*"((?:[^"\\]|\\.){4,4000})"')
"""A field of JSON with a text, in whatever is around it."""


def _json_values(text: str) -> list[str]:
    """The texts, as they are written, of fields that are called secrets; the longest first."""
    found = {
        value
        for name, value in _PAIR.findall(text)
        if value != REMOVED and _is_secret_field(name.lower(), value)
    }
    return sorted(found, key=lambda value: (-len(value), value))


def _is_secret_field(name: str, value: str) -> bool:
    if name in _NOT_SECRET or not is_credential(name):
        return False
    return name not in _RARELY_SECRET or _LONG.match(value) is not None


def _resized(chunks: Sequence[Chunk], body: bytes, without: bytes) -> tuple[Chunk, ...]:
    """The chunks of a body from which something was taken out, so that each text stays in its chunk."""
    found: list[Chunk] = []
    place = before = 0
    for chunk in chunks:
        place += chunk.size
        end = min(max(before, _end_in(without, body, place)), len(without))
        found.append(Chunk(chunk.at_s, end - before))
        before = end
    return tuple(found)


def _end_in(without: bytes, body: bytes, place: int) -> int:
    """The place in a scrubbed body that a place in the body has become."""
    if without.startswith(body[:place]):
        return place
    if without.endswith(body[place:]):
        return len(without) - (len(body) - place)
    return round(len(without) * place / len(body))  # something was taken out on both sides


def secrets_in(request: RecordedRequest, response: RecordedResponse) -> Iterator[str]:
    """Where something in an interaction looks like a secret, in words."""
    for where, headers in (("request", request.headers), ("response", response.headers)):
        for name, value in headers:
            if _MASKED.search(value):
                continue
            if _SECRET_HEADER.match(name) or scrubbed_text(value) != value:
                yield f"the header {name!r} of its {where}"
    if _has_credentials(request.url):
        yield "its URL"
    for where, body in (("request", request.body), ("response", response.body)):
        if (place := _first_secret(body)) is not None:
            yield f"the body of its {where}, at {place}"


def _has_credentials(url: str) -> bool:
    parts = urlsplit(url)
    named = any(
        is_credential(name) and not _MASKED.search(value) for name, value in parse_qsl(parts.query)
    )
    return named or bool(parts.username) or scrubbed_text(url) != url


def _first_secret(body: bytes) -> str | None:
    """Where the first secret in a body is; None if there is none."""
    without = scrubbed_body(body)
    if without == body:
        return None
    same = next((n for n, (a, b) in enumerate(zip(body, without, strict=False)) if a != b), 0)
    if _MASKED.match(body[same : same + 40].decode("utf-8", "replace")):
        return None
    before = body[max(0, same - 30) : same].decode("utf-8", "replace")
    return f"character {same + 1}" + (f", after {before!r}" if before else "")


_SECRET_HEADER = re.compile(
    r"(?i)^(?:(?:proxy-)?authorization|set-cookie2?|cookie|x-api-key|api-key|x-goog-api-key|x-auth-token|x-amz-security-token|"
    r"openai-organization|openai-project|anthropic-organization-id|anthropic-workspace-id|x-csrf-token)$"
)
_MASKED = re.compile(
    r"(?i)\[secret\]|X{3,}|\*{3,}|redact|filter|scrub|dummy|fake|placeholder|^\s*$|^(?:bearer\s*)?(?:test|mock)?[-_]?(?:api)?[-_]?key$"
)
