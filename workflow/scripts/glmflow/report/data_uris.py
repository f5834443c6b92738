"""Bytes that stand in a page itself."""

from __future__ import annotations

from base64 import b64encode


def data_uri(content: bytes, kind: str) -> str:
    """Return bytes as a data URI, for use in place of a URL; `kind` is their media type (`image/png`)."""
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
