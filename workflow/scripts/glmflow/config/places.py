"""Places in a configuration file: the line of a key, and keys that are given twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from glmflow.yaml_text import LOADER

from .base import Place


def compose(source: str | Path | None) -> yaml.Node | None:
    """Parse a YAML file into nodes that know their lines."""
    if source is None or not Path(source).is_file():
        return None
    try:
        return yaml.compose(Path(source).read_text(), Loader=LOADER)
    except yaml.YAMLError:
        return None


def repeated(node: yaml.Node | None, path: Place = (), within: tuple[int, ...] = ()) -> Iterator[tuple[Place, str]]:
    """Check that no block has a key twice, as YAML would quietly keep the last one, and that none holds itself by an alias."""
    if id(node) in within:
        yield path, "an alias (*) names the block that it stands in"
        return
    within = (*within, id(node))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            first = seen.setdefault(key.value, key.start_mark.line + 1)
            if first != key.start_mark.line + 1:
                yield (
                    (*path, key.value),
                    f"key {key.value!r} is given again in line {key.start_mark.line + 1}; keep one of them",
                )
            yield from repeated(value, (*path, key.value), within)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from repeated(value, (*path, position), within)


def locate(path: Place, source: str | Path | None) -> str:
    """Return `file:line: key.key` of a path of the configuration, for mistakes found outside its text."""
    return place_of(path, source, compose(source))


def place_of(path: Place, source: str | Path | None, node: yaml.Node | None) -> str:
    """Return `file:line: key.key` of a path of the configuration."""
    line = None
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    dotted = ".".join(map(str, path))
    prefix = "configuration" if source is None else f"{source}:{line}" if line else str(source)
    return f"{prefix}: {dotted}" if dotted else prefix
