"""A VCF written again with fields of our own: every record and sample kept, in order, a value or a reason for each allele."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
import pysam.bcftools

from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome.edits import Edits, Records
from glmflow.genome.htslib_messages import heard
from glmflow.text_files import write_bytes

log = logging.getLogger(__name__)

LARGEST_TBI = 2**29
"""Positions from here on need an index of another kind (.csi)."""
REASON = "GLM_REASON"


class Field(NamedTuple):
    """A field of INFO with a value for each alternative allele; `type` as VCF calls it (Float, String)."""

    name: str
    type: str
    description: str


Values = Mapping[str, Sequence[str | None]]
"""Values of alleles, by field; None where an allele has none."""


def identifier(text: str) -> str:
    """Return a name as a field of a VCF may have it: letters, digits and underscores."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)


def write_vcf(
    output: Path,
    header: Sequence[str],
    fields: Sequence[Field],
    parts: Iterable[tuple[Records, Edits, Values]],
    where: Path,
) -> None:
    """Write a VCF with further fields, and `GLM_REASON`.

    Parameters
    ----------
    output
        In blocks of gzip, with an index beside it, where its name ends in .gz.
    header
        Header lines of the input; none where it has none.
    parts
        Records with their lines, their alleles, and values of each field and of `GLM_REASON`.
    where
        The input, for messages.

    Raises
    ------
    InputError
        The input has one of the fields already.
    """
    fields = [*fields, Field(REASON, "String", "why the allele has no value; see glmflow variants --help")]
    require_new(header, where, [field.name for field in fields])
    largest, begun, packed = 0, False, output.suffix == ".gz"
    with atomic_path(output) as temporary:
        with write_bytes(temporary, packed) as raw, io.TextIOWrapper(raw, "utf-8", "surrogateescape") as target:
            for records, edits, values in parts:
                if not begun:
                    columns = records.lines[0].count("\t") + 1
                    target.write("\n".join(_header(header, fields, columns)) + "\n")
                    begun = True
                largest = max(largest, *records.pos)
                target.writelines(_annotated(records, edits, fields, values))
            if not begun:
                target.write("\n".join(_header(header, fields, 8)) + "\n")
        for old in (Path(f"{output}.tbi"), Path(f"{output}.csi")):
            old.unlink(missing_ok=True)
        index = _index(temporary, largest, where) if packed else None
    if index is not None:
        index.replace(f"{output}{index.suffix}")


def require_new(header: Sequence[str], where: Path, names: Sequence[str] = (), beginnings: Sequence[str] = ()) -> None:
    """Refuse a file that has `GLM_REASON`, one of some fields, or one that begins in one of some ways, already."""
    for line in header:
        name = line.partition("ID=")[2].partition(",")[0].rstrip(">") if line.startswith("##INFO=<") else ""
        if name and (name in (REASON, *names) or name.startswith(tuple(beginnings))):
            fix = "Give the file before it was annotated, or name the model otherwise (--model NAME=FOLDER)."
            raise InputError(f"has a field {name} already", where=where, fix=fix)


def _header(header: Sequence[str], fields: Sequence[Field], columns: int) -> list[str]:
    """Return the header lines of the output."""
    own = []
    for field in fields:
        text = field.description.replace("\\", "\\\\").replace('"', '\\"')
        own.append(f'##INFO=<ID={field.name},Number=A,Type={field.type},Description="{text}">')
    before = [line for line in header if line.startswith("##")] or ["##fileformat=VCFv4.2"]
    last = [line for line in header if not line.startswith("##")]
    if not last:
        named = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
        samples = [f"SAMPLE{number}" for number in range(1, columns - 8)]
        last = ["\t".join([*named, *(["FORMAT", *samples] if columns > 8 else [])])]
    return [*before, *own, *last]


def _annotated(records: Records, edits: Edits, fields: Sequence[Field], values: Values) -> Iterator[str]:
    """Yield the lines of some records with their fields; a line that is no record as it is."""
    texts = [(field.name, values[field.name]) for field in fields]
    counts = np.bincount(edits.record, minlength=len(records)).tolist()
    begin = 0
    for number, (line, count) in enumerate(zip(records.lines, counts)):
        end = begin + count
        added = []
        for name, of_field in texts:
            if count == 1:
                if of_field[begin] is not None:
                    added.append(f"{name}={of_field[begin]}")
            else:
                some = of_field[begin:end]
                if any(text is not None for text in some):
                    added.append(f"{name}={','.join('.' if text is None else text for text in some)}")
        begin = end
        if not added or number in records.broken:
            yield f"{line}\n"
            continue
        cells = line.split("\t", 8)
        cells[7] = ";".join(added) if cells[7] in (".", "") else f"{cells[7]};{';'.join(added)}"
        yield "\t".join(cells) + "\n"


def _index(packed: Path, largest: int, where: Path) -> Path | None:
    """Index a VCF where it is written; None, and a line in the log, where its records are not sorted."""
    large = largest >= LARGEST_TBI
    index = packed.with_name(packed.name + (".csi" if large else ".tbi"))
    try:
        with heard():
            pysam.bcftools.index("-f", "-c" if large else "-t", "-o", str(index), str(packed), catch_stdout=False)
    except pysam.SamtoolsError:
        index.unlink(missing_ok=True)
        log.warning("%s: no index: the records are not sorted (bcftools sort), or some are none", where)
        return None
    return index
