"""Which models read images and audio, and which images can be read.

https://platform.openai.com/docs/models has what each model reads; the words are those of published logs.
"""

from __future__ import annotations

import re
from typing import Any

from harness.wire.images import decoded, kind_of
from harness.wire.openai.errors import Rejected
from harness.wire.openai.families import undated

_BLIND = re.compile(
    r"gpt-3\.5.*|gpt-4|gpt-4-0314|gpt-4-0613|gpt-4-32k.*|gpt-4-(1106|0125|turbo)-preview|o1-mini|o1-preview|o3-mini|.*-audio.*"
)
_SEEN = ("image_url", "input_image", "file", "input_file")
"""What a model without eyes cannot read; pages of files are images as well
(https://platform.openai.com/docs/guides/pdf-files)."""
_DEAF = re.compile(r"(?!.*audio|.*realtime).*")
_UNSUPPORTED = (
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
    "['png', 'jpeg', 'gif', 'webp']."
)
_DATA_URL = re.compile(r"data:[\w/+.-]*;base64,(.*)", re.DOTALL)


def check_part(model: str, part: Any, place: str) -> None:  # noqa: ANN401 - whatever was sent
    """Check that a model reads a part of a message.

    Args:
        model: Its name.
        part: The part.
        place: Where it stands.
    """
    kind, plain = part.get("type"), undated(model)
    deaf = kind == "input_audio" and _DEAF.fullmatch(plain)
    blind = kind in _SEEN and _BLIND.fullmatch(plain)
    if deaf or blind:
        raise Rejected(
            f"Invalid content type. {kind} is only supported by certain models.", f"{place}.type"
        )
    if kind in ("image_url", "input_image"):
        image = part.get("image_url")
        _check_image(image.get("url") if isinstance(image, dict) else image)


def _check_image(url: Any) -> None:  # noqa: ANN401 - whatever was sent
    """An image in the request itself must be readable; one elsewhere is never fetched."""
    found = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
    if found is None:
        return
    data = decoded(found[1])
    if data is None or kind_of(data) is None:
        raise Rejected(_UNSUPPORTED, code="invalid_image_format")
