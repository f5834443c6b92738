"""Reading YAML: what breaks its syntax, by line, in the words of someone who writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from glmflow.errors import InputError
from glmflow.yaml_text import load_yaml

ALIGN = "Give the keys of one block the same number of spaces, each ':' a space behind it, and quotes to text that holds ': '."


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of keys; an empty one is an empty dictionary.

    Raises
    ------
    InputError
        The file is not there, is not YAML (with the line, and what to do about it), or holds no keys.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("no such configuration file", where=path, fix="Give the path of a study's YAML file.")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError("not a text file in UTF-8", where=path, fix="Give a study's YAML file.") from None
    try:
        content = load_yaml(text)
    except yaml.YAMLError:
        content = _say_where(path, text)
    if content is not None and not isinstance(content, dict):
        raise InputError("holds no keys", where=path, fix="Write `key: value`, as config/config.yaml does.")
    return content or {}


def _say_where(path: Path, text: str) -> Any:
    """Raise the error of a text that is not YAML, in the words of the parser in Python, which `explain` knows."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        line, what, fix = explain(error, text)
        raise InputError(f"not YAML: {what}", where=f"{path}:{line}" if line else path, fix=fix) from None


def explain(error: yaml.YAMLError, text: str) -> tuple[int | None, str, str]:
    """Return the line (from 1) of what breaks the syntax, what it is, and how to fix it.

    The parser stops where it can go on no further; what was left open is where it began to read that (its context).
    """
    problem, context = (getattr(error, name, None) or "" for name in ("problem", "context"))
    stopped, began = (
        mark and mark.line + 1 for mark in (getattr(error, name, None) for name in ("problem_mark", "context_mark"))
    )
    if "'\\t'" in problem:
        return stopped, "a tab in the indentation", "Indent with spaces only."
    if "flow" in context and (left := left_open(text)):
        line, opening = left
        closing = {"[": "]", "{": "}"}[opening]
        return line, f"'{opening}' is not closed", f"Put commas between what it holds, and '{closing}' behind it."
    if "quoted scalar" in context and "end of stream" in problem:
        return began, "a quote is not closed", "Close it with the same mark."
    if "simple key" in context:
        return began, "a line that is no `key: value`", "Write a colon and a space behind the key."
    if "mapping values" in problem:
        return stopped, "a ':' where no key can stand", ALIGN
    if "<block end>" in problem:
        return stopped, "this line is indented unlike the block it stands in", ALIGN
    if character := re.match("found character (.*) that cannot start any token", problem):
        return stopped, f"{character[1]} cannot begin a value", "Put the value into quotes."
    return stopped, str(problem or error), "Compare it with config/config.yaml."


def left_open(text: str) -> tuple[int, str] | None:
    """Return line and character of the innermost bracket that nothing closes, or None."""
    opened: list[tuple[int, str]] = []
    try:
        for token in yaml.scan(text):
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                opened.append((token.start_mark.line + 1, token.id))
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opened:
                opened.pop()
    except yaml.YAMLError:
        pass
    return opened[-1] if opened else None
