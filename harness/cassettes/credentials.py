"""What looks like a secret, or is called one, in texts, URLs and bodies."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from harness.scrub import REMOVED, without_secrets

SECRET_HEADER = re.compile(
    r"(?i)^(?:(?:proxy-)?authorization|set-cookie2?|cookie|x-api-key|api-key|x-goog-api-key|x-auth-token|x-amz-security-token|"
    r"openai-organization|openai-project|anthropic-organization-id|anthropic-workspace-id|x-csrf-token)$"
)

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


def is_credential(name: str) -> bool:
    """Whether a query parameter or a header of that name is a secret."""
    return _CREDENTIAL.match(name) is not None


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
