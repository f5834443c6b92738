"""A cohort's phased variants, parsed once into arrays on disk."""

from __future__ import annotations

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from glmflow.errors import InputError
from glmflow.files import atomic_path, sha256
from glmflow.genome import guards, vcf_files
from glmflow.genome.contig_writer import ContigWriter
from glmflow.genome.contigs import some
from glmflow.genome.parsing import Parser
from glmflow.genome.reference import Reference
from glmflow.genome.store import JOINED, VERSION, VariantStore, contig_folder, open_store

__all__ = ["build_store", "open_store"]

log = logging.getLogger(__name__)

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


def build_store(
    vcf: Paths,
    reference: Reference,
    folder: str | PathLike[str],
    *,
    samples: Sequence[str] | None = None,
    contigs: Sequence[str] | None = None,
    filter_policy: Sequence[str] | None = ("PASS", "."),
    unphased: str = "refuse",
    cores: int = 1,
) -> VariantStore:
    """Parse a phased VCF or BCF into a variant store, unless the folder has that very store already.

    Memory grows with the number of variants of a contig (some hundred bytes each), not with that of the samples.

    Parameters
    ----------
    vcf
        VCF or BCF, or several that have their contigs apart.
    reference
        The genome that the variants were called on.
    folder
        Where the store goes.
    samples, contigs
        What to read; all by default. Contigs by the genome's names.
    filter_policy
        FILTER values to keep (`.`: a record without one); None keeps every record.
    unphased
        What to do with unphased heterozygotes: `refuse`, or read them as the `reference`.
    cores
        Processes.

    Raises
    ------
    InputError
        The VCF is missing, unsorted or of another genome, has records outside of a contig, lacks a sample or contig, has unphased
        heterozygotes (unless asked otherwise) or nothing that any haplotype carries.
    """
    folder = Path(folder)
    vcfs = [Path(vcf)] if isinstance(vcf, str | PathLike) else [Path(path) for path in vcf]
    if unphased not in ("refuse", "reference"):
        raise InputError(f"unphased: {unphased!r}", fix="Say refuse or reference.")
    settings = {
        "version": VERSION,
        "samples_wanted": None if samples is None else list(samples),
        "contigs_wanted": None if contigs is None else list(contigs),
        "filter_policy": None if filter_policy is None else list(filter_policy),
        "unphased": unphased,
    }
    inputs = [*vcfs, reference.path]
    if _is_current(folder, settings, inputs):
        log.info("%s: up to date", folder)
        return open_store(folder)
    with atomic_path(folder) as temporary, tempfile.TemporaryDirectory() as scratch:
        jobs = _jobs(vcfs, reference, temporary, Path(scratch), samples, contigs, filter_policy, unphased)
        counts = [row for rows in _run(jobs, cores) for row in rows]
        if not any(outcome == "applied" and calls for _, _, outcome, _, calls in counts):
            raise _nothing_applied(jobs, some(map(str, vcfs)))
        description = settings | {
            "samples": jobs[0].samples,
            "contigs": {job.chrom: reference.contigs[job.chrom] for job in jobs},
            "origin": {job.chrom: [str(job.vcf.resolve()), job.name] for job in jobs},
            "counts": counts,
            "inputs": [_fingerprint(path) for path in inputs],
        }
        (temporary / "store.json").write_text(json.dumps(description, indent=1))
    return open_store(folder)


@dataclass(frozen=True)
class _Job:
    """The parsing of one contig."""

    vcf: Path  # as the user named it
    source: Path  # indexed
    chrom: str
    name: str  # of the contig in the VCF
    records: int  # of the contig, by the index
    samples: list[str]
    reference: Reference
    folder: Path
    filter_policy: Sequence[str] | None
    unphased: str


def _jobs(
    vcfs: list[Path],
    reference: Reference,
    folder: Path,
    scratch: Path,
    samples: Sequence[str] | None,
    contigs: Sequence[str] | None,
    filter_policy: Sequence[str] | None,
    unphased: str,
) -> list[_Job]:
    """Check the files against each other and return what to parse, in the order of the genome."""
    jobs: dict[str, _Job] = {}
    names = guards.find_samples(vcfs[0], samples)
    for i, vcf in enumerate(vcfs):
        source = vcf_files.indexed(vcf, scratch / str(i))
        guards.find_samples(vcf, names)
        found = vcf_files.indexed_contigs(source)
        for chrom, name in guards.find_contigs(source, reference, contigs, vcf).items():
            if chrom in jobs:
                raise InputError(f"contig {chrom} is in {jobs[chrom].vcf} too", where=vcf, fix="Give each contig once.")
            jobs[chrom] = _Job(
                vcf, source, chrom, name, found[name].records, names, reference, folder, filter_policy, unphased
            )
    missing = [chrom for chrom in contigs or () if chrom not in jobs]
    if missing or not jobs:
        raise InputError(f"no records of contig {some(missing)}", where=some(map(str, vcfs)), fix="Check the contigs.")
    return [jobs[chrom] for chrom in reference.contigs if chrom in jobs]


def _run(jobs: list[_Job], cores: int) -> list[list[tuple]]:
    """Parse every contig and return their counts."""
    if cores == 1 or len(jobs) == 1:
        return [_parse(job) for job in jobs]
    with ProcessPoolExecutor(min(cores, len(jobs))) as pool:
        return list(pool.map(_parse, jobs))


def _parse(job: _Job) -> list[tuple]:
    """Parse one contig into its folder and return its counts."""
    with vcf_files.decoded(job.vcf):
        return _parse_contig(job)


def _parse_contig(job: _Job) -> list[tuple]:
    """Parse one contig into its folder and return its counts."""
    file = vcf_files.open_vcf(job.source, job.samples)
    order = np.array([file.samples.index(sample) for sample in job.samples])
    length = job.reference.contigs[job.chrom]
    parser = Parser(job.vcf, job.chrom, length, job.samples, order, job.filter_policy, job.unphased)
    writer = ContigWriter(contig_folder(job.folder, job.chrom), 2 * len(job.samples))
    for allele in parser.alleles(vcf_files.records(file, job.vcf, f"{job.name}:1-{length}")):
        writer.add(allele)
        if len(parser.records) >= 4096:
            _check_records(parser, job)
    _check_records(parser, job)
    if parser.read != job.records:
        parser.read += _telomeres(parser, job)
    guards.check_all_read(job.source, job.name, length, parser.read, job.records, job.vcf)
    _say_what_is_odd(parser, job)
    outcomes = writer.finish(parser.ploidy.runs(length))
    for reason, alleles in parser.alleles_left_out.items():
        for rows in outcomes.values():
            rows[reason] = alleles, parser.calls_left_out[reason]
    for rows in outcomes.values():
        rows["missing"] = 0, parser.calls_left_out["missing"]
        if parser.phase_sets.joins.any():
            rows[JOINED] = 0, int(parser.phase_sets.joins.sum())
    return [
        (job.chrom, mode, outcome, *numbers) for mode, rows in outcomes.items() for outcome, numbers in rows.items()
    ]


def _telomeres(parser: Parser, job: _Job) -> int:
    """Count the breakends at the telomeres of a contig, and return how many records that are."""
    length, found = job.reference.contigs[job.chrom], 0
    for record in vcf_files.records(vcf_files.open_vcf(job.source, job.samples), job.vcf):
        if job.name == record.CHROM and guards.at_telomere(record, length):
            parser.telomere(record)
            found += 1
    return found


def _say_what_is_odd(parser: Parser, job: _Job) -> None:
    """Log what is read otherwise than the file has it."""
    joins = parser.phase_sets.joins
    if joins.any():
        log.warning(
            "%s, contig %s: haplotypes are known within phase sets (PS) alone in %d of %d samples: %s neighbouring sets are "
            "joined, in an order that is not known; windows within one set are right. Phase with a panel to know more.",
            *(job.vcf, job.chrom, (joins > 0).sum(), len(joins), f"{joins.sum():,}"),
        )
    if parser.deletions_cut:
        log.warning(
            "%s, contig %s: %d <DEL> end behind the contig; they are read as reaching to its last base",
            *(job.vcf, job.chrom, parser.deletions_cut),
        )


def _nothing_applied(jobs: list[_Job], where: str) -> InputError:
    """Return the error for genotypes of which no allele is left; the files are read again to say whether FILTER left any."""
    values: Counter[tuple[str, ...]] = Counter()
    for job in jobs:
        region = f"{job.name}:1-{job.reference.contigs[job.chrom]}"
        records = vcf_files.records(vcf_files.open_vcf(job.source, samples=[]), job.vcf, region)
        with vcf_files.decoded(job.vcf):
            values.update(tuple(record.FILTERS or ["."]) for record in records)
    policy, samples = jobs[0].filter_policy, jobs[0].samples
    passed = sum(count for names, count in values.items() if vcf_files.passes_filter(names, policy))
    of_all = f"{passed:,} of {values.total():,} records pass FILTER"
    if passed or policy is None:
        return InputError(
            f"nothing that {some(samples)} {'carries' if len(samples) == 1 else 'carry'} could be applied; {of_all}",
            where=where,
            fix="Check the samples and the contigs.",
        )
    there = some(f"{';'.join(names)} ({count:,})" for names, count in values.most_common())
    return InputError(
        f"{of_all} ({', '.join(policy)}): they have {there}",
        where=where,
        fix="Name the values to keep (`filters` in the study, --filter by hand), or keep every record (`filters: null`, "
        "--filter without a name).",
    )


def _check_records(parser: Parser, job: _Job) -> None:
    """Compare the reference alleles read so far with the genome."""
    positions, alleles = zip(*parser.records) if parser.records else ((), ())
    guards.check_reference_alleles(job.reference, job.chrom, positions, alleles, job.vcf)
    parser.records.clear()


def _is_current(folder: Path, settings: dict, inputs: list[Path]) -> bool:
    """Return whether a folder has the store of these settings and of inputs with this content."""
    try:
        description = json.loads((folder / "store.json").read_text())
    except FileNotFoundError:
        return False
    recorded = description.get("inputs", [])
    same_settings = all(description.get(key) == value for key, value in settings.items())
    return same_settings and len(recorded) == len(inputs) and all(map(_unchanged, inputs, recorded))


def _fingerprint(path: Path) -> dict:
    """Return what tells whether a file has changed."""
    return {"size": path.stat().st_size, "modified": path.stat().st_mtime_ns, "sha256": sha256(path)}


def _unchanged(path: Path, recorded: dict) -> bool:
    """Return whether a file has the recorded content; it is read only where its time differs."""
    if not path.exists() or path.stat().st_size != recorded["size"]:
        return False
    return path.stat().st_mtime_ns == recorded["modified"] or sha256(path) == recorded["sha256"]
