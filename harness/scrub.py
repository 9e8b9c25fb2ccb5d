"""Remove secrets from texts before they are shown or written to a file."""

from __future__ import annotations

import os
import re
from typing import Final

from harness.environment import hidden_values

REMOVED: Final = "[secret]"
"""What stands in the place of a secret."""

_KEY: Final = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|xai|ghp|gho|ghs|github_pat|glpat|hf|xox[abposr])[-_]|AKIA|AIza|eyJ)[-_A-Za-z0-9]{8,}(?:\.[-_A-Za-z0-9]+)*"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
    r"|(?<=[Bb]earer )\S{8,}"
)
"""How keys of providers, services and repositories begin, names and passwords in addresses, and bearer tokens."""

_VARIABLE: Final = re.compile(r"_KEY|TOKEN|SECRET|PASSW|CREDENTIAL|COOKIE", re.IGNORECASE)
"""Names of environment variables whose values are secrets."""

_VALUE_MIN: Final = 8
"""Shorter values are words, such as `true` [characters]."""

_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
"""A private key, also one that is cut off."""

_HEADER: Final = re.compile(
    r"""(?ix) (\b (?:set-cookie2? | cookie | (?:proxy-)?authorization) ["']? \s* [:=] \s*) (?:"[^"\n]{1,4000}" | '[^'\n]{1,4000}' | [^\n"']+)"""
)
"""The headers whose whole value is a secret, up to the end of the line."""

_NAMED: Final = re.compile(
    r"""(?ix)
    ( (?: api[\ _-]?key | access[\ _-]?key | private[\ _-]?key | secret | passwd | password | passphrase | pwd
        | credential | signature | token(?!s) | session[_-]?id ) [\w-]{0,40}
      (?: \\?["']? \s{0,9} (?: => | [:=] ) \s{0,9} | \s{1,9} is \s{1,9} ) )
    (?: \\?"[^"\n]{1,500}" | '[^'\n]{1,500}' | [^\s"',;&)}\]]{4,} )
    """
)
"""Something that is called a secret, and its value after `:`, `=` or "is". Everything has a bound, so that a long text
takes time in proportion to its length."""

_BASIC: Final = re.compile(r"(?i)(\bbasic )[A-Za-z0-9+/]{8,}={0,2}")


def without_secrets(text: str) -> str:
    """A text without keys, tokens, and the values of environment variables that are secrets."""
    variables = [*os.environ.items(), *hidden_values()]
    values = {
        value for name, value in variables if _VARIABLE.search(name) and len(value) >= _VALUE_MIN
    }
    for value in sorted(values, key=lambda it: (-len(it), it)):  # one may begin with another
        text = text.replace(value, REMOVED)
    return _KEY.sub(REMOVED, text)


def scrubbed(text: str) -> str:
    """A text without secrets, and without what it calls one: passwords, cookies, private keys, headers of requests.

    More is taken out than has to be: "the password is wrong" loses a word. So it is for texts of others that are
    kept, and not for source lines.
    """
    text = _BLOCK.sub(REMOVED, without_secrets(text))
    for named in (_HEADER, _NAMED, _BASIC):
        text = named.sub(rf"\g<1>{REMOVED}", text)
    return text
