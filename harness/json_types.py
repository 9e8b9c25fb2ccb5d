"""Names for types of JSON, as it is parsed or about to be written."""

from typing import Any

JsonObject = dict[str, Any]
"""A JSON object; what stands in it is checked where it is read."""
