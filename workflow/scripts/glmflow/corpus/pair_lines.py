"""Lines of a file of pairs of DNA and text (`glmflow pairs`): read, and what is held out of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glmflow.errors import InputError

TO_DNA = "text_to_dna"
KEYS = ("order", "split", "prompt", "target")
FIX = "Write it with `glmflow pairs`."


def read_pairs(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of pairs.

    Raises
    ------
    InputError
        It cannot be read, or a line is none of `glmflow pairs`.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"no file of pairs: {error}", where=path, fix=FIX) from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            pair = json.loads(line)
        except ValueError:
            pair = None
        if not isinstance(pair, dict) or not all(isinstance(pair.get(key), str) for key in KEYS):
            raise InputError(f"no pair with {', '.join(KEYS)}", where=f"{path}:{number}", fix=FIX)
        found.append(pair)
    return found


def dna_of(pairs: Sequence[Mapping[str, Any]], split: str) -> list[Mapping[str, Any]]:
    """Return the pairs of a split from text to DNA: each feature once."""
    return [pair for pair in pairs if pair["order"] == TO_DNA and pair["split"] == split]


def held_out(pairs: Sequence[Mapping[str, Any]], split: str, where: Path) -> list[Mapping[str, Any]]:
    """Return the features of a held-out split, which can be asked about: of two clusters at least, with tags.

    Parameters
    ----------
    where
        The file, for messages.

    Raises
    ------
    InputError
        There are none, they are all of one cluster, or a line says neither cluster nor tags.
    """
    found = dna_of(pairs, split)
    if not found:
        fix = "Hold some out (`glmflow pairs --test 0.1`)."
        raise InputError(f"no pair of split {split} from text to DNA", where=where, fix=fix)
    for pair in found:
        tags = pair.get("tags")
        if "cluster" not in pair or not isinstance(pair.get("id"), str) or not (isinstance(tags, dict) and tags):
            what = f"a pair of split {split} without id, cluster or tags (target {pair['target'][:20]}...)"
            raise InputError(what, where=where, fix=FIX)
    if len({pair["cluster"] for pair in found}) < 2:
        what = f"all pairs of split {split} are of one cluster: no text of another feature"
        raise InputError(what, where=where, fix="Give more pairs.")
    return found
