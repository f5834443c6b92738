"""Public files by their addresses: resumed, checked, recorded. Models of the hub are fetched by its own client."""

from .public_data import fetch

__all__ = ["fetch"]
