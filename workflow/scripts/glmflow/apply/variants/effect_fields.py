"""Scores of variants as outputs have them: names of fields, kinds of change, reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glmflow.effects.score_catalogue import SCORES
from glmflow.effects.score_runs import Columns, ModelScores
from glmflow.genome.edits import Edits, Records
from glmflow.genome.reasons import Reason

Beside = Iterable[tuple[Records, Edits, list[ModelScores]]]
OWN = ("variant", "chrom", "start", "ref", "alt", "kind")
WINDOW = ("window_start", "window_bp", "n_bases")


@dataclass(frozen=True)
class ModelNote:
    """What an output says of a model.

    Parameters
    ----------
    name
        Its name in fields and columns.
    columns
        What was computed.
    strands
        Both strands are written beside their mean.
    words
        Window, precision, SHA-256 and version, as the header of a VCF has them.
    """

    name: str
    columns: Columns
    strands: bool
    words: str

    @property
    def fields(self) -> list[str]:
        """Names of its columns, in order."""
        scores = [
            name
            for score in self.columns.scores
            for name in ((score, f"{score}_fwd", f"{score}_rev") if self.strands else (score,))
        ]
        return [*scores, *self.columns.compared]


def described(field: str) -> str:
    """Return what a field holds, in words."""
    for ending, words in {
        "_fwd": "forward strand",
        "_rev": "reverse strand",
        "_calibrated": "less the mean of neutral sites with the same 5-mer",
        "_z": "z-score among random indels of the same lengths",
    }.items():
        if field.endswith(ending) and field[: -len(ending)] in SCORES:
            return f"{SCORES[field[: -len(ending)]].words}; {words}"
    return f"{SCORES[field].words}; mean of both strands"


def reasons_of(models: Sequence[ModelScores]) -> list[str]:
    """Return the reason of each allele; where models differ, each by its name."""
    labels = {int(reason): reason.label for reason in Reason}
    if len(models) == 1 or all((one.reason == models[0].reason).all() for one in models[1:]):
        return [labels[code] for code in models[0].reason.tolist()]
    rows = zip(*(one.reason.tolist() for one in models))
    found = []
    for row in rows:
        if len(set(row)) == 1:
            found.append(labels[row[0]])
        else:
            found.append("|".join(f"{one.name}:{labels[code]}" for one, code in zip(models, row) if code))
    return found


def kinds_of(edits: Edits) -> NDArray[np.object_]:
    """Return snv, mnv, insertion, deletion or delins of each allele; empty where there is no edit."""
    removed = edits.end - edits.start
    inserted = np.fromiter(map(len, edits.bases), np.int64, len(edits))
    conditions = [
        ~edits.ok,
        (removed == 1) & (inserted == 1),
        removed == inserted,
        removed == 0,
        inserted == 0,
    ]
    return np.select(conditions, ["", "snv", "mnv", "insertion", "deletion"], "delins").astype(object)
