"""Kinds of task, a module each, named as the kind; a new module is a new kind."""

import sys
from collections.abc import Mapping
from typing import Any

from ..blocks import blocks_of, kind_of, union_of
from ..task_block import TaskBlock

KINDS = blocks_of(sys.modules[__name__], TaskBlock)
Task = union_of(KINDS)
"""A task of any kind."""


def task_block(settings: Mapping[str, Any]) -> TaskBlock:
    """Return the typed block of a task's settings."""
    return next(kind for kind in KINDS if kind_of(kind) == settings["kind"]).model_validate(settings)
