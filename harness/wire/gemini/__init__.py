"""The Gemini API, as the SDK `google-genai` meets it on the wire.

A request comes in through `api.py`. Its JSON is read by `proto.py`, which knows the fields of each message from `fields.py`; what
must hold besides is checked by `contents.py`, `tools.py` and `settings.py`; what it means is read by `asking.py` and counted by
`tokens.py`. An answer is put together in `reply.py` and, in parts, in `stream.py`; errors in `errors.py`; all headers in `headers.py`.
What the server remembers is in `cached_contents.py`; what it knows of models in `catalogue.py`.

The rules and forms are those of the API reference (https://ai.google.dev/api) and of the types of SDK 3.x; where neither says
anything, the docstring calls the choice a guess.
"""

from __future__ import annotations

from harness.wire.gemini.api import Gemini

__all__ = ["Gemini"]
