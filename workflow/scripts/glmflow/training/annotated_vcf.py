"""A VCF, read record by record and written again with fields of our own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pysam

from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.genome.contigs import some
from glmflow.genome.reference import Reference


class Field(NamedTuple):
    """A field of INFO with a value for each alternative allele; `type` as VCF calls it (Float, String)."""

    name: str
    type: str
    description: str


def field_name(label: str) -> str:
    """Return the name of the field for a track or task: letters, digits and underscores alone."""
    return "GLM_" + "".join(letter if letter.isalnum() else "_" for letter in label)


def is_plain(record: Any, allele: str) -> bool:
    """Whether an allele and its reference are written in A, C, G and T."""
    return set((record.ref + allele).upper()) <= set("ACGT")


@contextmanager
def checked_records(path: Path, genome: Reference) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Yield the header of a VCF, and its records, each of which is compared with the genome.

    Raises
    ------
    InputError
        The file cannot be read, names a contig that the genome lacks, or a reference allele that is not the genome's.
    """
    try:
        source = pysam.VariantFile(str(path))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read as a VCF: {error}", where=path, mend="Give a VCF or BCF file.") from None

    def records() -> Iterator[Any]:
        for record in source:
            _require_same(record, genome, path)
            yield record

    with source:
        yield source.header, records()


def annotate(
    path: Path,
    genome: Reference,
    output: Path,
    fields: Sequence[Field],
    values: Callable[[Any], Mapping[str, Sequence[str | None]]],
) -> None:
    """Write a VCF with further fields.

    Parameters
    ----------
    output
        Written in blocks of gzip where its name ends in .gz.
    values
        Returns, for a record, the fields it gets: a value for each alternative allele, None where there is none.

    Raises
    ------
    InputError
        As `checked_records`, and where the file has one of the fields already.
    """
    with (
        checked_records(path, genome) as (header, records),
        atomic_path(output) as temporary,
        _text(temporary, output) as target,
    ):
        for field in fields:
            if field.name in header.info:
                mend = "Give the file before it was annotated."
                raise InputError(f"has a field {field.name} already", where=path, mend=mend)
            header.info.add(field.name, "A", field.type, field.description)
        target.write(str(header))
        for record in records:
            found = values(record)
            cells = str(record).rstrip("\n").split("\t")
            added = [f"{name}={','.join('.' if v is None else v for v in each)}" for name, each in found.items()]
            if added:
                cells[7] = ";".join(added if cells[7] == "." else [cells[7], *added])
            target.write("\t".join(cells) + "\n")


def _text(path: Path, name: Path) -> TextIO:
    """Open a file for text, in blocks of gzip where its final name ends in .gz."""
    if name.name.endswith(".gz"):
        return io.TextIOWrapper(pysam.BGZFile(str(path), "w"), encoding="utf-8")
    return path.open("w", encoding="utf-8")


def _require_same(record: Any, genome: Reference, path: Path) -> None:
    """Stop where a record's reference allele is not what the genome has there."""
    place = f"{record.chrom}:{record.pos}"
    if record.chrom not in genome.contigs:
        raise InputError(
            f"{place}: no contig {record.chrom}; the genome has {some(genome.contigs)}",
            where=path,
            mend="Rename the contigs (bcftools annotate --rename-chrs), or leave this one out.",
        )
    found = genome.fetch_string(record.chrom, record.start, record.start + len(record.ref))
    if found != record.ref.upper():
        raise InputError(
            f"{place}: the reference allele is {record.ref}, the genome has {found}",
            where=path,
            mend="Give the genome that the variants were called on.",
        )
