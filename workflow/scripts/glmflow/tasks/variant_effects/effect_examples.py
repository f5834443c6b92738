"""Labelled variants as an examples table: from a table, from a VCF with a label in INFO, from a saturation experiment."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.column_names import ALLELES, allele_columns
from glmflow.genome.reference import Reference
from glmflow.genome.vcf_files import open_vcf
from glmflow.tasks.tables import examples_table
from glmflow.text_files import read_cells

from .effect_scoring import kinds_of
from .source_fields import first_consequence, first_gene, renamed_contigs, with_reference_bases, with_reference_first

log = logging.getLogger(__name__)

MISSING = ("", ".", "NA", "nan", "None")


class EffectExamples(NamedTuple):
    """The examples table, and how many variants were left out, by reason."""

    table: pd.DataFrame
    left_out: Counter[str]


def from_table(
    path: Path,
    target: str,
    labels: Mapping[str, int | None] | None = None,
    columns: Mapping[str, str] | None = None,
    positions: str = "vcf",
    least: Mapping[str, float] | None = None,
    only: Mapping[str, list[str]] | None = None,
    genome: Reference | None = None,
    ref: str = "column",
) -> EffectExamples:
    """Return the examples of a table (TSV, CSV or parquet) of `chrom, pos, ref, alt` and a label or measured effect.

    Parameters
    ----------
    target
        Column of the label or effect.
    labels
        What the values of the label mean: 1, 0, or None to leave a variant out. `*` stands for all others; without it a
        value that is not named stops. Without labels the target is a number.
    columns
        Names of other columns, by what they are here: `consequence`, `group`, `match_group`, `element`, `exon`, …; and of those of
        the alleles (`chrom`, `pos` or `start`, `ref`, `alt`) where they have unusual names.
    positions
        `vcf`: `pos` counts from 1. `zero`: from 0, as `start` always does.
    least
        Columns, and the smallest number in them that a variant is kept with (`barcodes: 10`).
    only
        Some of `columns`, and the values that a variant is kept with.
    genome
        The genome whose names contigs get (`1` may be its `chr1`).
    ref
        `column`: the table has it. `genome`: it has none; alternatives are single bases, and REF is the genome's. `either`: the
        genome tells which of both alleles it is.

    Raises
    ------
    InputError
        A column is missing, a value of the label is not named, or a target is no number.
    """
    given = read_cells(path)
    extra = dict(columns or {})
    own_ref = ref != "genome"
    own = {name: column for name, column in extra.items() if name in ALLELES}
    unusual = {target, *own.values()}
    columns_found = allele_columns([str(name) for name in given if name not in unusual], own_ref, str(path))
    if columns_found.notes:
        log.warning("%s: %s", path, "; ".join(columns_found.notes))
    found = columns_found.taken | own
    place = "pos" if "pos" in found else "start"
    names = ("chrom", place, "ref", "alt") if own_ref else ("chrom", place, "alt")
    needed = {name: found.get(name) for name in names} | {"target": target if target in given else None}
    lacking = [name for name, column in {**needed, **extra}.items() if column is None or column not in given]
    if lacking:
        raise InputError(
            f"no column {', '.join(lacking)}; it has {', '.join(given.columns[:15])}",
            where=path,
            fix="Name the columns of chrom, pos, ref, alt and the target (without ref: `ref: genome`).",
        )
    table = pd.DataFrame({name: given[column] for name, column in {**needed, **extra}.items()})
    few = pd.Series(False, index=given.index)
    for name, smallest in (least or {}).items():
        if name not in given:
            raise InputError(f"no column {name}", where=path, fix=f"It has {', '.join(given.columns[:15])}.")
        few |= ~(pd.to_numeric(given[name], errors="coerce") >= smallest)
    table = table[~few].reset_index(drop=True)
    start = _positions(table.pop(place), 1 if place == "pos" and positions == "vcf" else 0, path)
    table["start"] = start - 1 if place == "pos" and positions == "vcf" else start
    table, other = _only(table, only)
    if genome is not None:
        table = renamed_contigs(table, genome, path)
        if ref == "genome":
            table = with_reference_bases(table, genome, path)
        elif ref == "either":
            table = with_reference_first(table, genome, path)
    found = _finished(table, labels, path)
    return EffectExamples(found.table, found.left_out + Counter({"too_few": int(few.sum())}) + other)


def _only(table: pd.DataFrame, only: Mapping[str, list[str]] | None) -> tuple[pd.DataFrame, Counter[str]]:
    """Return the rows that have one of the values wanted of each column, and how many others there are."""
    kept = pd.Series(True, index=table.index)
    for name, values in (only or {}).items():
        kept &= table[name].astype(str).isin(values)
    return table[kept].reset_index(drop=True), +Counter({"not_wanted": int((~kept).sum())})


def from_vcf(
    path: Path,
    label: str,
    labels: Mapping[str, int | None] | None,
    columns: Mapping[str, str] | None = None,
    only: Mapping[str, list[str]] | None = None,
    genome: Reference | None = None,
) -> EffectExamples:
    """Return the examples of a VCF whose INFO has a label (`CLNSIG`); each alternative allele is one.

    Parameters
    ----------
    label
        The field; with a value an allele, or one for all.
    labels
        See `from_table`.
    columns
        Other fields, by what they are here.
    only, genome
        See `from_table`.

    Raises
    ------
    InputError
        The file cannot be read, or a value of the label is not named.
    """
    rows, left_out = [], Counter()
    wanted = {"target": label, **(columns or {})}
    for record in open_vcf(path, samples=[]):
        for number, alt in enumerate(record.ALT):
            row = {"chrom": record.CHROM, "start": record.start, "ref": record.REF, "alt": alt}
            for name, field in wanted.items():
                value = record.INFO.get(field)
                if isinstance(value, str) and "," in value and value.count(",") == len(record.ALT) - 1:
                    value = value.split(",")[number]
                elif isinstance(value, tuple):
                    value = value[number] if len(value) == len(record.ALT) else value[0]
                row[name] = None if value is None else str(value)
            if row["target"] in (None, *MISSING):
                left_out["no_label"] += 1
                continue
            rows.append(row)
    if not rows:
        raise InputError(f"no record has a field {label}", where=path, fix="Name the field of the label.")
    table, other = _only(pd.DataFrame(rows), only)
    if genome is not None:
        table = renamed_contigs(table, genome, path)
    found = _finished(table, labels, path)
    return EffectExamples(found.table, left_out + found.left_out + other)


def _positions(values: pd.Series, first: int, path: Path) -> pd.Series:
    """Return positions as whole numbers; the least one is `first`."""
    numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
    sound = (numbers >= first) & (numbers == np.floor(numbers)) & (numbers < 1 << 40)
    if not sound.all():
        shown = values[~sound].iloc[0]
        what = f"{int((~sound).sum())} positions are no whole numbers from {first} on, first {str(shown)!r}"
        raise InputError(what, where=path, fix="Correct them, or leave these rows out.")
    return numbers.astype(np.int64)


def _finished(table: pd.DataFrame, labels: Mapping[str, int | None] | None, where: Path) -> EffectExamples:
    """Turn labels into numbers, name and complete the examples."""
    left_out: Counter[str] = Counter()
    values = table["target"].astype(str)
    if labels is None:
        numbers = pd.to_numeric(values.where(~values.isin(MISSING)), errors="coerce")
        wrong = ~np.isfinite(numbers) & ~values.isin(MISSING)
        if wrong.any():
            raise InputError(f"the target {values[wrong].iloc[0]!r} is no number", where=where, fix="Map it by labels.")
        left_out["no_target"] = int(numbers.isna().sum())
    else:
        named = {str(key): value for key, value in labels.items()}
        others = named.pop("*", None)
        unknown = [] if "*" in labels else sorted(set(values) - set(named) - set(MISSING))
        if unknown:
            raise InputError(
                f"label {unknown[0]!r} of {(values == unknown[0]).sum():,} variants is not named",
                where=where,
                fix="Say what it means: 1, 0 or null (left out; '*' for all others). "
                f"Others: {', '.join(unknown[1:6]) or 'none'}.",
            )
        meant = {key: np.nan if value is None else float(value) for key, value in named.items()}
        if others is not None:
            meant |= dict.fromkeys(set(values) - set(meant) - set(MISSING), float(others))
        numbers = values.map(meant)
        left_out["label_left_out"] = int(numbers.isna().sum())
    table = table.assign(target=numbers)[numbers.notna()].reset_index(drop=True)
    if table.empty:
        raise InputError("no variant has a target", where=where, fix="Give labels, or measured effects.")
    for name, first in (("consequence", first_consequence), ("group", first_gene)):
        if name in table:
            table[name] = first(table[name]).where(table[name].notna())
    table = completed(table)
    for name, count in left_out.items():
        if count:
            log.warning("%s: %d variants left out: %s", where, count, name.replace("_", " "))
    return EffectExamples(examples_table(table), +left_out)


def completed(table: pd.DataFrame) -> pd.DataFrame:
    """Return alleles (`chrom`, `start`, `ref`, `alt`) with the columns of an examples table; all are of the test split."""
    table = table.reset_index(drop=True)
    table["chrom"] = table["chrom"].astype(str)
    end = table["start"] + table["ref"].str.len()
    name = table["chrom"] + ":" + (table["start"] + 1).astype(str) + ":" + table["ref"] + ":" + table["alt"]
    again = name.groupby(name).cumcount()
    table["example"] = name.where(again == 0, name + "#" + (again + 1).astype(str))
    table = table.assign(end=end, split="test", subset="all", strand="+")
    return table.assign(kind=kinds_of(table["ref"], table["alt"], table.get("consequence")))
