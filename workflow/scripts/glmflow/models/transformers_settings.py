"""Settings that a configuration of transformers has, read off its source text: importing it would load torch.

Such a configuration takes any key and keeps it, so that a misspelt one does nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from glmflow.errors import InputError

SIZES = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "max_position_embeddings"),
)


@lru_cache
def settings_of(name: str) -> Mapping[str, Any]:
    """Return the settings of a configuration with their defaults; empty where transformers, or its text, is not there.

    Parameters
    ----------
    name
        Module and class, such as `olmo.OlmoConfig`. Defaults that are no plain values are None.
    """
    found = find_spec("transformers")
    if found is None or not found.submodule_search_locations:
        return {}
    folder, (module, _, kind) = Path(found.submodule_search_locations[0]), name.partition(".")
    own = _settings(folder / "models" / module / f"configuration_{module}.py", kind)
    return _settings(folder / "configuration_utils.py", "PreTrainedConfig") | own if own else {}


def check_sizes(config: Mapping[str, Any], name: str) -> None:
    """Refuse sizes of which no network can be made.

    Raises
    ------
    InputError
        A size that is no whole number from 1 on, or heads into which the width does not divide.
    """
    whole = {**settings_of(name), **config}
    for key in SIZES:
        value = whole.get(key)
        if key in config and value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InputError(f"{key} {value!r} is not a whole number from 1 on", fix="Make it one.")
    width, heads = whole.get("hidden_size"), whole.get("num_attention_heads")
    if width and heads and not whole.get("head_dim"):
        turned = "rope_parameters" in whole and "rope_parameters" not in config
        if width % (heads * (1 + turned)):
            what = f"hidden_size {width} does not make {heads} heads (num_attention_heads){' of even size' * turned}"
            raise InputError(what, fix=f"Make it a multiple of {heads * (1 + turned)}.")
    shared = whole.get("num_key_value_heads")
    if heads and shared and heads % shared:
        what = f"num_attention_heads {heads} is no multiple of num_key_value_heads {shared}"
        raise InputError(what, fix=f"Give num_key_value_heads {heads} too, or a divisor of it.")


def _settings(path: Path, kind: str) -> dict[str, Any]:
    """Return the settings that the text of a class names, in its body or (of older versions) in its `__init__`."""
    if not path.is_file():
        return {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.lower() == kind.lower():
            return {key: default for part in node.body for key, default in _named(part)}
    return {}


def _named(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    """Yield the settings that a statement in the body of a class names, with their defaults."""
    match node:
        case ast.AnnAssign(target=ast.Name(id=key)) if "ClassVar" not in ast.unparse(node.annotation):
            yield key, _plain(node.value)
        case ast.Assign(targets=[ast.Name(id="attribute_map")], value=ast.Dict(keys=keys)):
            yield from ((key.value, None) for key in keys if isinstance(key, ast.Constant))
        case ast.FunctionDef(name="__init__", args=given):
            named = given.args[1:]
            defaults = [None] * (len(named) - len(given.defaults)) + [*map(_plain, given.defaults)]
            yield from zip((one.arg for one in named), defaults, strict=True)


def _plain(node: ast.expr | None) -> Any:
    """Return a plain value as it is written; None of any other."""
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
