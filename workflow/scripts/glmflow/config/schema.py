"""The JSON schema of a study, and which keys a block of it accepts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from .study import Study


@cache
def study_schema() -> dict[str, Any]:
    """Return the JSON schema of a study as pydantic makes it."""
    return Study.model_json_schema()


def known_keys(location: Sequence[str | int]) -> list[str]:
    """Return the keys that the block at this location of the schema accepts."""
    schema = study_schema()
    node: dict[str, Any] = schema
    for part in location:
        node = follow(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        elif part in node.get("properties", {}):
            node = node["properties"][part]
        elif "patternProperties" in node:
            (node,) = node["patternProperties"].values()
        elif isinstance(node.get("additionalProperties"), dict):
            node = node["additionalProperties"]
        elif "discriminator" in node and part in node["discriminator"]["mapping"]:
            node = {"$ref": node["discriminator"]["mapping"][part]}
    return list(follow(schema, node).get("properties", {}))


def follow(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Resolve `$ref` and optional (`anyOf` with null) nodes of a JSON schema."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in node:
            node = next(option for option in node["anyOf"] if option.get("type") != "null")
        else:
            return node
