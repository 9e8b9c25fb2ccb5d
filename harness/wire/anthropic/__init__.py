"""The Anthropic API, as its SDK meets it on the wire.

A request comes in through `api.py`. What it must have is checked by `envelope.py`, `validate.py` and `turns.py`; what it
means is read by `messages.py` and counted by `tokens.py`. An answer is put together in `reply.py` and, in parts, in
`stream.py`; errors in `errors.py`; all headers in `headers.py`. What the server remembers is in `threads.py` and
`batches.py`; what it knows of models in `catalogue.py`.

The rules and forms are those of recorded traffic and of the types of SDK 2.x; where neither says anything, the docstring
calls the choice a guess.
"""

from __future__ import annotations

from harness.wire.anthropic.api import Anthropic

__all__ = ["Anthropic"]
