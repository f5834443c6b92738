"""YAML, read by libyaml: about ten times as fast as the parser in Python, which takes over where libyaml is missing."""

from __future__ import annotations

from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> Any:
    """Return what a YAML text holds; `yaml.YAMLError` if it is not sound."""
    return yaml.load(text, Loader=LOADER)
