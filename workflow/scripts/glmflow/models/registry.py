"""Which families there are, and which of them a checkpoint belongs to. Imports no torch until a family is
asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from glmflow.errors import InputError
from glmflow.modules import module, module_names

if TYPE_CHECKING:
    import torch

    from glmflow.models.interface import Model, ModelCard, Network
    from glmflow.models.tokenizers import Tokenizer

Config = dict[str, Any]
FAMILIES = f"{__package__}.families"
"""Package whose modules are the families."""


@dataclass(frozen=True)
class Family:
    """A family of models: how its networks are built, read and described.

    Parameters
    ----------
    name
        The name of its file in ``models/families``.
    build
        ``build(config, attention)`` returns a `Network` with random weights; it is also run on the meta
        device.
    card
        ``card(config)`` returns the `ModelCard`.
    tokenizer
        ``tokenizer(config, folder)``; `folder` is None for a model made from a configuration.
    model_types
        Values of ``model_type`` in ``config.json`` that belong to the family.
    matches
        Decides from the whole configuration where ``model_type`` does not; takes the place of `model_types`.
    convert
        ``convert(state, config)``: published tensor names to those of the network (renamed, permuted,
        dropped).
    load
        ``load(folder, config, dtype, attention)`` returns the network, where the common loader will not do
        (transformers' own classes).
    save
        ``save(network, folder)`` writes the weights, where the network's own state dict will not do.
    configure
        ``configure(config)`` completes and checks a configuration: defaults, derived keys. Applied before all
        the others.
    adapter
        A subclass of `Adapter` for a family whose inputs or states are peculiar.
    attention
        Attention implementations the network can take; ``build`` and ``load`` are given one of them.
    """

    name: str
    build: Callable[[Config, str], Network]
    card: Callable[[Config], ModelCard]
    tokenizer: Callable[[Config, Path | None], Tokenizer | None]
    model_types: tuple[str, ...] = ()
    matches: Callable[[Config], bool] | None = None
    convert: Callable[[dict[str, torch.Tensor], Config], dict[str, torch.Tensor]] | None = None
    load: Callable[[Path, Config, torch.dtype, str], Network] | None = None
    save: Callable[[Network, Path], None] | None = None
    configure: Callable[[Config], Config] | None = None
    adapter: type[Model] | None = None
    attention: tuple[str, ...] = ("flash_attention_2", "sdpa", "eager")

    def recognises(self, config: Config) -> bool:
        """Whether a checkpoint with this ``config.json`` is of the family."""
        if self.matches is not None:
            return self.matches(config)
        return config.get("model_type") in self.model_types


def complete(
    name: str, config: Config, defaults: Config, also: Collection[str] = (), or_none: Collection[str] = ()
) -> Config:
    """Return a configuration with a family's defaults filled in; `also` are keys that have none.

    A value is of the kind of its default: a whole number from 1 on (from 0 of those in `or_none`, where 0 is none of it), a
    share where the default is 0.0 and otherwise a number above 0, a list of such; beside None stand whole numbers.

    Raises
    ------
    InputError
        A key that the family does not know, or a value of another kind.
    """
    unknown = sorted(set(config) - set(defaults) - set(also))
    if unknown:
        raise InputError(f"family {name} knows no {', '.join(unknown)}", fix=f"It has {', '.join(defaults)}.")
    found = {**defaults, **config}
    for key, default in defaults.items():
        if wanted := _misfit(found[key], default, 0 if key in or_none else 1):
            raise InputError(
                f"{key} {found[key]!r} of family {name} is not {wanted}", fix=f"The default is {default!r}."
            )
    return found


def _misfit(value: Any, default: Any, least: int) -> str:
    """Return what a value should be, in words, that is not of the kind of its default; empty where it is."""
    if isinstance(default, bool):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(default, int):
        fits, wanted = _is_whole(value, least), f"a whole number from {least} on"
    elif isinstance(default, float) and default:
        fits, wanted = _is_number(value) and 0 < value < math.inf, "a number above 0"
    elif isinstance(default, float):
        fits, wanted = _is_number(value) and 0 <= value < 1, "a share, from 0 to below 1"
    elif isinstance(default, str):
        fits, wanted = isinstance(value, str), "text"
    elif default is None:
        numbers = value.values() if isinstance(value, Mapping) else (value,)
        fits, wanted = value is None or all(_is_whole(one, 1) for one in numbers), "a whole number from 1 on"
    elif default:
        fits = isinstance(value, list | tuple) and not any(_misfit(one, default[0], least) for one in value)
        wanted = f"a list of numbers from {least} on"
    else:
        fits, wanted = isinstance(value, list | tuple), "a list"
    return "" if fits else wanted


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def family_names() -> tuple[str, ...]:
    """Names of all families, from the files in ``models/families``; none is imported."""
    return tuple(module_names(FAMILIES))


def get_family(name: str) -> Family:
    """Import one family's file and return its ``FAMILY``.

    Raises
    ------
    InputError
        There is no such family.
    """
    if name not in family_names():
        raise InputError(f"unknown model family {name!r}", fix=f"Known: {', '.join(family_names())}.")
    return module(FAMILIES, name).FAMILY


def read_config(folder: Path) -> Config:
    """Read ``config.json`` of a checkpoint folder, or the one ``.yml`` configuration of an Evo 2 checkpoint.

    Raises
    ------
    InputError
        Neither is there, or it is not valid.
    """
    path = folder / "config.json"
    candidates = [path] if path.exists() else sorted(p for p in folder.glob("*.y*ml") if p.name != "model.yaml")
    if len(candidates) != 1:
        raise InputError("no config.json in the checkpoint folder", where=folder, fix="Give a complete checkpoint.")
    config = read_mapping(candidates[0])
    if not config:
        raise InputError("holds no mapping of configuration keys", where=candidates[0])
    return config


def read_mapping(path: Path) -> dict[str, Any]:
    """Return what a JSON or YAML file holds; empty where that is nothing.

    Raises
    ------
    InputError
        It cannot be read, is not valid, or holds something else than names with values.
    """
    try:
        text = path.read_text("utf-8-sig")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"not valid: {error}", where=path, fix="Download the file again.") from None
    if found is not None and not isinstance(found, dict):
        raise InputError("holds no mapping of configuration keys", where=path)
    return found or {}


def read_record(folder: Path) -> dict[str, Any]:
    """Return ``model.yaml``, which `Adapter.save` writes; empty for a published checkpoint.

    Raises
    ------
    InputError
        It is not valid.
    """
    path = folder / "model.yaml"
    return read_mapping(path) if path.exists() else {}


def recognise(config: Config, *, where: Path | None = None) -> Family:
    """Return the one family that recognises a configuration.

    Raises
    ------
    InputError
        None does, or more than one.
    """
    found = [family for family in map(get_family, family_names()) if family.recognises(config)]
    if len(found) == 1:
        return found[0]
    seen = f"model_type {config.get('model_type')!r}"
    if not found:
        raise InputError(f"no family recognises this checkpoint ({seen})", where=where, fix="Name it with family=.")
    names = ", ".join(family.name for family in found)
    raise InputError(f"several families recognise this checkpoint ({seen}): {names}", where=where, fix="Name one.")
