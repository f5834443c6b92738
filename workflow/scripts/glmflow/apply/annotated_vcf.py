"""`glmflow predict --vcf`: what a tuned model says of each allele, read, refused and written as `glmflow variants` does."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.contigs import ContigNames, some
from glmflow.genome.edit_sets import Source, chosen, unique_edits
from glmflow.genome.edits import Edits, Records, edits_of
from glmflow.genome.first_look import look, require_matching
from glmflow.genome.reasons import Reason, counted
from glmflow.genome.reference import Reference
from glmflow.training.parts import Parts

from .applied_model import Strictness
from .variants.variant_sources import VcfSource
from .variants.vcf_writer import REASON, Field, Values, identifier, require_new, write_vcf

log = logging.getLogger(__name__)

RECORDS = 1000
"""Of a part."""


def field_name(label: str) -> str:
    """Return the name of the field for a track or task."""
    return f"GLM_{identifier(label)}"


class Renamed:
    """A file of variants whose contigs are called as the genome calls them (chr1 for 1), which is said."""

    def __init__(self, source: Source, genome: Reference):
        self.path, self._source, self._names = source.path, source, ContigNames(genome.contigs)
        self._known: dict[str, str] = {}

    def parts(self, size: int, keep: bool = False) -> Iterator[Records]:
        """Yield the records; see `Source`."""
        for records in self._source.parts(size, keep):
            fresh = [name for name in dict.fromkeys(records.chrom) if name not in self._known]
            self._known |= {name: self._names.find(name) or name for name in fresh}
            mapped = [f"{name} is {self._known[name]}" for name in fresh if self._known[name] != name]
            if mapped:
                log.warning("%s: contig names mapped: %s", self.path, some(mapped))
            records.chrom = [self._known[name] for name in records.chrom]
            yield records


def annotate(
    vcf: Path,
    genome: Reference,
    output: Path,
    fields: Sequence[Field],
    score: Callable[[Edits], pd.DataFrame],
    identity: Mapping[str, Any],
    how: Strictness,
) -> Counter[Reason]:
    """Write a VCF with further fields and, for alleles without a value, the field `GLM_REASON`.

    All references are compared with the genome before the first prediction. What was scored is kept in parts beside the
    output until it is written: scoring that was stopped goes on after the last one.

    Parameters
    ----------
    output
        Written as bgzip with an index where its name ends in .gz.
    score
        Returns, for distinct alleles, a row each: `reason` (a `Reason`), and a value for each field, a number or text.
    identity
        Everything the values depend on beside the variants, as JSON data.

    Returns
    -------
    Alleles of each reason; `NONE` of those that were scored.

    Raises
    ------
    InputError
        The file cannot be read, has one of the fields already, or is of another genome.
    """
    source = VcfSource(vcf, how.symbolic)
    require_new(source.header, vcf, [field.name for field in fields])
    renamed = Renamed(source, genome)
    found = look(renamed, genome, how.symbolic)
    log.info("%s: %s records, %s alleles", vcf, f"{found.records:,}", f"{found.alleles:,}")
    require_matching(found, genome, vcf, how.mismatches, how.strict)
    whole = {**identity, "fields": [list(field) for field in fields], "symbolic": how.symbolic}
    parts = Parts(output.parent / f".{output.name}.parts", whole)
    counts: Counter[Reason] = Counter()

    def rows() -> Iterator[tuple[Records, Edits, Values]]:
        for number, records in enumerate(renamed.parts(RECORDS, keep=True)):
            edits = edits_of(records, genome, how.symbolic)
            (table,) = parts.tables(number, lambda edits=edits: [_each_once(edits, score)])
            counts.update(counted(table["reason"].to_numpy(np.uint8)))
            done, scored = counts.total(), counts[Reason.NONE]
            log.info("%s of %s alleles, %s with a value", f"{done:,}", f"{found.alleles:,}", f"{scored:,}")
            yield records, edits, _texts(table, fields)

    write_vcf(output, source.header, fields, rows(), vcf)
    parts.remove()
    return counts


def _each_once(edits: Edits, score: Callable[[Edits], pd.DataFrame]) -> pd.DataFrame:
    """Score equal edits once."""
    first, which = unique_edits(edits)
    return score(chosen(edits, first)).iloc[which].reset_index(drop=True)


def _texts(table: pd.DataFrame, fields: Sequence[Field]) -> dict[str, list[str | None]]:
    """Return the values of alleles as a VCF has them."""
    found: dict[str, list[str | None]] = {}
    for field in fields:
        values = table[field.name]
        numbers = pd.api.types.is_float_dtype(values)
        found[field.name] = [
            None if pd.isna(value) else f"{value:.5g}" if numbers else str(value) for value in values.tolist()
        ]
    found[REASON] = [Reason(code).label or None for code in table["reason"].tolist()]
    return found


def reasons_with(edits: Edits, where: NDArray[np.bool_], what: Reason) -> NDArray[np.uint8]:
    """Return the reasons of edits, with a further one for some that had none."""
    reason = edits.reason.copy()
    reason[where & (reason == Reason.NONE)] = what
    return reason
