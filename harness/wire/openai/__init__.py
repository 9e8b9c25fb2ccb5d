"""OpenAI's API on the wire: Chat Completions, Responses, embeddings and the list of models.

Read `api.py` first, then `chat.py` and `responses.py`: what a request means, and the answer in one piece. The `_stream`
beside each is the answer in parts.
"""

from __future__ import annotations

from harness.wire.openai.api import OpenAI

__all__ = ["OpenAI"]
