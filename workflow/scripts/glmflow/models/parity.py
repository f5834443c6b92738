"""How far a model is from its original: a checkpoint folder with what the original computed from it.

``io.safetensors`` holds the input (``input_ids``, or another name for families that take no tokens),
``attention_mask`` where there is padding, ``logits`` and ``last_hidden_state``; ``tokens.json`` sequences
with their ids.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from glmflow.errors import InputError
from glmflow.models import load_model
from glmflow.models.adapter import Adapter
from glmflow.models.tokenizers import MissingTokenizer
from glmflow.models.weights import read_tensors

COMPUTED = ("logits", "last_hidden_state")
TOLERANCE = 1e-4
"""Largest absolute difference, in float32 on a CPU, at which a model counts as the same."""


@dataclass(frozen=True)
class Parity:
    """What was found.

    Attributes
    ----------
    family
        The family that the checkpoint was recognised as.
    logits, last_hidden_state
        Largest absolute difference at positions that are not padding; None where the folder has none to
        compare with.
    sequences, other_ids
        Number of sequences of ``tokens.json`` that were compared (none where the folder has no tokenizer), and those
        whose ids differ.
    """

    family: str
    logits: float | None
    last_hidden_state: float | None
    sequences: int
    other_ids: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all differences are within `TOLERANCE` (a NaN is not) and all ids the same."""
        differences = [value for value in (self.logits, self.last_hidden_state) if value is not None]
        return bool(differences) and all(value <= TOLERANCE for value in differences) and not self.other_ids


def measure(folder: Path, family: str | None = None, attention: str = "auto") -> Parity:
    """Compare a model with what its original computed.

    Parameters
    ----------
    folder
        Checkpoint with ``io.safetensors`` and, for its tokenizer, ``tokens.json``.
    family, attention
        As in `glmflow.models.load_model`.

    Raises
    ------
    InputError
        The folder has nothing to compare with.
    """
    path = folder / "io.safetensors"
    if not path.exists():
        raise InputError("no io.safetensors: nothing to compare with", where=folder, fix="Give a parity folder.")
    adapter = load_model(folder, family=family, attention=attention)
    stored = read_tensors(path)
    mask = stored.pop("attention_mask", None)
    expected = {name: stored.pop(name) for name in COMPUTED if name in stored}
    if len(stored) != 1:
        raise InputError(f"holds {len(stored)} inputs ({', '.join(stored)}), not one", where=path)
    with torch.no_grad():
        found = adapter(*stored.values(), mask)._asdict()
    differences = {}
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            shapes = f"{tuple(found[name].shape)}, the original {tuple(tensor.shape)}"
            raise InputError(f"{name} of {adapter.card.family} have the shape {shapes}", where=path)
        difference = (found[name].double() - tensor.double()).abs()
        differences[name] = float((difference if mask is None else difference[mask.bool()]).max())
    sequences, other = _compare_ids(adapter, folder / "tokens.json")
    logits, states = (differences.get(name) for name in COMPUTED)
    return Parity(adapter.card.family, logits, states, sequences, other)


def _compare_ids(adapter: Adapter, path: Path) -> tuple[int, tuple[str, ...]]:
    """Count the sequences of ``tokens.json`` and return those that are tokenized otherwise."""
    if not path.exists() or isinstance(adapter.tokenizer, MissingTokenizer | None):
        return 0, ()
    cases = json.loads(path.read_text())
    other = [
        case["sequence"]
        for case in cases
        if adapter.tokenizer.encode(case["sequence"]) != case["input_ids"]
        or adapter.tokenizer.encode(case["sequence"], special=False) != case["input_ids_no_special"]
    ]
    return len(cases), tuple(other)
