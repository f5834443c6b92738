"""Checks of kind `variant_effects`: columns and labels of the file of alleles, and REF beside the genome, by its first rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from glmflow.config import Study, is_made
from glmflow.errors import InputError

from .named_samples import Problem, Samples

FIRST = 500
"""Alleles that are looked at."""
LEAST = 20
"""With fewer of them on the genome, mismatches say nothing yet."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield what is wrong with the alleles of a task, by the header and the first rows of its file."""
    task = study.tasks[label]
    path = task.table or task.vcf
    if path is None or is_made(study, path):
        return
    key = ("table",) if task.table else ("vcf",)
    try:
        rows = first_alleles(Path(path), task)
        most = task.mismatches if task.ref == "column" else 1.0
        yield from ((key, text) for text in _unlike_genome(study, rows, most))
    except InputError as error:
        yield key, str(error)


def first_alleles(path: Path, task) -> list[tuple[str, int, str, str]]:
    """Return contig, 0-based position, REF and ALT of the first alleles.

    Raises
    ------
    InputError
        A column, or the field of the label, is not there.
    """
    if task.vcf:
        return _of_vcf(path, task)
    from glmflow.labelled.delimited import TableFile

    file = TableFile(path)
    given = file.header
    lower = {name.lower(): name for name in given}
    place = lower.get("pos") or lower.get("start")
    found = {"chrom": lower.get("chrom", lower.get("chr")), "pos or start": place, "ref": lower.get("ref"),
             "alt": lower.get("alt"), f"label {task.label!r}": task.label}  # fmt: skip
    if task.ref == "genome":
        found.pop("ref")
    found |= {f"columns.{name} {column!r}": column for name, column in task.columns.items()}
    found |= {f"at_least {column!r}": column for column in task.at_least}
    lacking = [name for name, column in found.items() if column not in given]
    if lacking:
        raise InputError(
            f"no column for {', '.join(lacking)}; it has {', '.join(given[:25])}",
            where=path,
            fix="Name the columns as the file does.",
        )
    names = [found["chrom"], place, lower["ref"] if task.ref == "column" else lower["alt"], lower["alt"]]
    block = next(iter(file.blocks(list(dict.fromkeys(names)))), None)
    if block is None or not block.num_rows:
        raise InputError("no alleles", where=path, fix="Give a table with rows.")
    shift = 1 if "pos" in lower and task.positions == "vcf" else 0
    columns = [block.column(name).to_pylist()[:FIRST] for name in names]
    try:
        return [(str(chrom), int(pos) - shift, str(ref), str(alt)) for chrom, pos, ref, alt in zip(*columns)]
    except (TypeError, ValueError) as error:
        raise InputError(f"a position is no number ({error})", where=path, fix="Correct it.") from None


def _of_vcf(path: Path, task) -> list[tuple[str, int, str, str]]:
    """Return the first alleles of a VCF whose header has the fields that are named."""
    from glmflow.genome.vcf_files import open_vcf

    reader = open_vcf(path, samples=[])
    declared = reader.raw_header
    for name in (task.label, *task.columns.values()):
        if f"##INFO=<ID={name}," not in declared:
            raise InputError(f"its header has no INFO field {name}", where=path, fix="Name a field that it has.")
    return [(record.CHROM, record.start, record.REF, alt) for record in islice(reader, FIRST) for alt in record.ALT]


def _unlike_genome(study: Study, rows: list[tuple[str, int, str, str]], most: float) -> Iterator[str]:
    """Yield that the alleles do not lie on the study's genome; `most`: share that may have another REF."""
    from glmflow.genome.contigs import ContigNames, some
    from glmflow.genome.first_look import OUTSIDE
    from glmflow.genome.reference import Reference

    reference = study.data.reference
    if reference is None or is_made(study, reference.fasta) or not Path(reference.fasta).exists():
        return
    try:
        genome = Reference(reference.fasta)
    except InputError:  # plain gzip, which a job copies; said where the genome is looked at
        return
    names = ContigNames(genome.contigs)
    inside = [(name, *row[1:]) for row in rows if (name := names.find(row[0]))]
    if rows and not inside:
        named = some({row[0] for row in rows})
        yield f"no allele lies on {reference.fasta}: contigs are {named}, it has {some(genome.contigs)}"
        return
    far = [row for row in inside if not 0 <= row[1] <= genome.contigs[row[0]] - len(row[2])]
    if len(far) > 1 and len(far) > OUTSIDE * len(inside):
        chrom, start, *_ = far[0]
        yield (
            f"{len(far):,} of the first {len(inside):,} alleles lie outside their contig, first {chrom}:{start + 1:,}: in "
            f"{reference.fasta} it has {genome.contigs[chrom]:,} bases; give the genome that they lie on"
        )
        return
    wrong = [row for row in inside if _found(genome, row) not in (row[2].upper(), "")]
    if len(inside) >= LEAST and len(wrong) > most * len(inside):
        chrom, start, ref, _ = wrong[0]
        yield (
            f"REF of {len(wrong):,} of the first {len(inside):,} alleles is not what {reference.fasta} has, first "
            f"{chrom}:{start + 1} {ref[:20]}, the genome has {_found(genome, wrong[0])[:20]}; give the genome that they lie "
            "on, or correct `positions`"
        )


def _found(genome, row: tuple[str, int, str, str]) -> str:
    """Return what the genome has under REF; empty where that is not known."""
    chrom, start, ref, _ = row
    codes = genome.fetch(chrom, start, start + len(ref)).tobytes().decode()
    return "" if "N" in codes else codes
