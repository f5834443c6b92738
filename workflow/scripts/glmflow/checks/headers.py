"""What the header of a table of samples was taken for, as an audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glmflow.genome.column_names import SAMPLES, Columns, known_columns
from glmflow.text_files import text_lines

from .audit import Audit, graded

__all__ = ["SAMPLES", "Columns", "columns_of", "header_audit", "known_columns", "structure_audit", "structure_note"]


def header_audit(columns: Columns, where: str = "") -> Audit:
    """Return what is said of a header: what was taken under another name, and every column that is unknown."""
    text = "; ".join([*columns.notes, *_unknown(columns.unknown)]) or "every column is known by its own name"
    return graded("columns", len(columns.unknown), text, where, warn=0)


def columns_of(path: str) -> Columns:
    """Return what the columns of a table of samples (separated by tabs) are taken for."""
    _, head = next(text_lines(Path(path)), (0, ""))
    return known_columns(head.split("\t"), where=path)


def structure_audit(columns: Columns, where: str = "") -> Audit:
    """Return whether a population is known, within which the null permutes."""
    note = structure_note(columns)
    return graded("structure of samples", float(bool(note)), note or "populations are known", where, warn=0)


def structure_note(columns: Columns) -> str:
    """Return what a verdict has to say where no population is known; empty where one is."""
    return "" if "population" in columns.taken else "no population known: the null does not account for structure"


def _unknown(columns: Sequence[str]) -> list[str]:
    """Return a sentence that names every unknown column."""
    return [f"not read: {', '.join(map(repr, columns))}"] if columns else []
