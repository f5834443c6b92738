"""Scores of variants as fields of a VCF: `GLM_{model}_{score}`, a number an alternative allele."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glmflow.effects.score_runs import ModelScores

from .effect_fields import Beside, ModelNote, described, reasons_of
from .vcf_writer import REASON, Field, Values, identifier, write_vcf


def write_score_vcf(
    output: Path, header: Sequence[str], notes: Sequence[ModelNote], parts: Beside, where: Path
) -> None:
    """Write the records of a VCF with the scores of their alleles; arguments as `vcf_writer.write_vcf` has them."""
    fields = [
        Field(_name(note, field), "Float", f"{described(field)}; nats or distance; {note.words}")
        for note in notes
        for field in note.fields
    ]
    write_vcf(
        output, header, fields, ((records, edits, _values(models, notes)) for records, edits, models in parts), where
    )


def _name(note: ModelNote, field: str) -> str:
    return f"GLM_{identifier(note.name)}_{identifier(field)}"


def _values(models: Sequence[ModelScores], notes: Sequence[ModelNote]) -> Values:
    """Return the texts of the scores and reasons of some alleles."""
    found: dict[str, list[str | None]] = {}
    for note, scores in zip(notes, models):
        columns = scores.fields(note.strands)
        for field in note.fields:
            values = columns[field]
            finite = np.isfinite(values)
            texts = [f"{value:.7g}" if ok else None for value, ok in zip(values.tolist(), finite.tolist())]
            found[_name(note, field)] = texts
    found[REASON] = [reason or None for reason in reasons_of(models)]
    return found
