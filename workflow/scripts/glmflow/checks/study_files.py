"""What a study's files have to be before any job starts: present, and of one genome. `glmflow check` asks by hand."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from glmflow.config import (
    ConfigurationError,
    Study,
    check_study,
    expand_runs,
    is_made,
    locate,
    questions,
    read_yaml,
    simulation_inputs,
)
from glmflow.config.base import Place
from glmflow.config.compared import FEWEST_SEEDS, few_seeds
from glmflow.config.public_sets import set_with
from glmflow.config.published import LISTED, read_checkpoints
from glmflow.config.unused import unused
from glmflow.errors import InputError
from glmflow.genome.contigs import some

from .made_networks import unbuilt
from .named_files import named_files, placed
from .named_samples import unknown_samples

log = logging.getLogger(__name__)


def add_check_command(subparsers: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add `check STUDY` to the commands."""
    parser = subparsers.add_parser(
        "check",
        description="Check the YAML of a study, its keys and labels, and whether its files are there, belong to one "
        "genome and hold the samples that it names, by their headers and indexes alone. The workflow checks the same "
        "before any job starts, but for broken YAML given by --configfile, of which Snakemake itself names no line. "
        "Exit status 1 if something is wrong.",
    )
    parser.add_argument("study", type=Path, help="a study's YAML file, such as config/config.yaml")
    parser.add_argument(
        "--fail-on",
        choices=("never", "leak", "warning"),
        help="audit the files that the study names too, and the examples that are made: what makes the exit status 1 "
        "(default: `fail_on` of the study; `never` there audits nothing here)",
    )
    parser.set_defaults(run=run_check)
    return parser


def run_check(arguments: argparse.Namespace) -> int:
    """Print how many runs a sound study has, what is left out of it, and what its audits found; return the exit status.

    Raises
    ------
    InputError
        Something is wrong with the study: every mistake, a line each.
    """
    path = arguments.study
    checkpoints = read_checkpoints(LISTED) if LISTED.is_file() else None
    study = check_study(read_yaml(path), path, checkpoints)
    check_inputs(study, path)
    if problems := [f"{locate(key, path)}: {text}" for key, text in unbuilt(study)]:
        raise ConfigurationError(problems)
    runs, misfits = expand_runs(study)
    for misfit in misfits:
        print(f"Left out: {misfit.task}/{misfit.model}/{misfit.adaptation}: {misfit.reason}.")
    if few := few_seeds(study):
        print(f"Fewer than {FEWEST_SEEDS} seeds, so that the spread over seeds is hardly known: {some(few)}")
    if idle := list(unused(study)):
        print(f"Not used by any run: {', '.join(idle)}")
    later = "; REF alleles, phase and sort order are checked when the VCF is read" if _reads_vcf(study) else ""
    print(f"{path}: keys, labels, files and their headers are sound; {len(runs)} run{'s' * (len(runs) != 1)}{later}")
    fail_on = getattr(arguments, "fail_on", None)
    if fail_on is None and study.fail_on == "never":
        return 0
    from .study_audits import every_audit, report_audits

    audits, missing = every_audit(study)
    if missing:
        print(f"Examples that are not made, and not audited: {', '.join(missing)} (glmflow audit {path} makes them)")
    return report_audits(audits, fail_on or study.fail_on)


def _reads_vcf(study: Study) -> bool:
    """Whether a study has genotypes that no job of it makes."""
    applied = (*study.predict.values(), *study.variant_scores.values())
    given = [*(study.cohort.vcf if study.cohort else []), *(one.vcf for one in applied if one.vcf)]
    return bool(simulation_inputs(study)) or not all(is_made(study, vcf) for vcf in given)


def check_inputs(study: Study, source: str | Path | None = None) -> None:
    """Check the files that a study names: all are there, of one genome, and hold the samples that are named.

    Only headers and indexes are read. Files that the workflow itself will make are not looked at. `source` is the
    configuration file, read again only to give line numbers.

    Raises
    ------
    ConfigurationError
        With every problem, a line each.
    """
    files = named_files(study)
    if problems := [f"{locate(key, source)}: {text}" for key, text in _missing(study, files)]:
        raise ConfigurationError(problems)
    named = [*_repeated_tracks(study), *unknown_samples(study)]
    strangers: Iterable[InputError] = ()
    if study.simulate and study.simulate.overlay:
        overlay = study.simulate.overlay
        named += _strange_contigs(study, overlay.fasta)
        strangers = _foreign_genotypes(study, [overlay.vcf], overlay.fasta)
    elif study.reference and not study.simulate and study.data.reference is study.reference:
        named += _strange_contigs(study, study.reference.fasta)
        strangers = _unlike(study)
    problems = [f"{locate(key, source)}: {text}" for key, text in named]
    for error in (*strangers, *_strange_predictions(study), *_strange_questions(study)):
        if not any(problem.endswith(str(error)) for problem in problems):  # of a file that several keys name, once
            problems.append(placed(error, files, source))
    if problems:
        raise ConfigurationError(problems)


def _missing(study: Study, named: Mapping[Place, str]) -> Iterator[tuple[Place, str]]:
    """Yield the keys whose files are not there, with a sentence each."""
    for key, path in named.items():
        if not Path(path).exists() and not is_made(study, path):
            of_set = set_with(path, study.sets)
            fix = f"`snakemake -c1 fetch --config data={of_set}` downloads it" if of_set else "Put or link it there"
            yield key, f"no such file: {path}. {fix}, or correct the path (it starts in {Path.cwd()})"


def _repeated_tracks(study: Study) -> Iterator[tuple[Place, str]]:
    """Yield the replicates that are given before, in the same track or another: one measurement would count as two."""
    before: dict[Path, str] = {}
    for label, track in study.tracks.items():
        for position, path in enumerate(track.replicates):
            key = ("tracks", label, "replicates", position)
            first = before.setdefault(Path(path).resolve(), ".".join(map(str, key)))
            if first != ".".join(map(str, key)):
                yield key, f"{path} is {first} already; give each file once"


def _strange_contigs(study: Study, fasta: str) -> Iterator[tuple[Place, str]]:
    """Yield the contigs that a study names and its genome lacks, with a sentence each."""
    from glmflow.genome.contigs import some

    named = {("reference", "contigs"): study.reference.contigs or []} if study.reference else {}
    if study.splits and study.splits.by == "contig":
        named |= {("splits", split): getattr(study.splits, split) for split in ("train", "validation", "test")}
    try:
        contigs = _contigs_of(study, fasta)
    except InputError:  # said once, where the other files are compared with it
        return
    copies = _left_out(study, contigs, fasta)
    for key, names in named.items():
        for position, chrom in enumerate(names):
            if chrom not in contigs:
                yield (*key, position), f"contig {chrom!r} is not in {fasta}; it has {some(contigs)}"
            elif chrom in copies and key[0] == "splits":
                what = (
                    f"contig {chrom!r} is a copy of others (alternate locus, patch, HLA or decoy), which are left out"
                )
                yield (*key, position), f"{what}; say `reference.alternates: keep` to use it"


def _left_out(study: Study, contigs: Mapping[str, int], fasta: str) -> list[str]:
    """Return the contigs that a study leaves out as copies of others, and log how many there are."""
    from glmflow.genome.contigs import alternate_contigs, say_alternates

    if study.reference is None or study.reference.contigs is not None or study.reference.alternates == "keep":
        return []
    copies = alternate_contigs(contigs)
    if copies:
        log.warning("%s", say_alternates(copies, fasta))
    return copies


def _unlike(study: Study) -> Iterator[InputError]:
    """Yield the files whose contigs do not belong to the reference; those that the study does not use are not compared."""
    from glmflow.tracks.reading import check_track_matches, check_track_sign

    data = study.data
    assert data.reference is not None
    try:
        contigs = _contigs_of(study, data.reference.fasta)
    except InputError as error:
        yield error
        return
    chosen = data.reference.contigs
    if data.cohort is not None:
        yield from _foreign_genotypes(study, data.cohort.vcf, data.reference.fasta, chosen)
    if chosen is not None:
        contigs = {name: contigs[name] for name in chosen if name in contigs}
    for track in data.tracks.values():
        for path in track.replicates:
            try:
                check_track_matches(path, contigs)
                check_track_sign(path, track.negate)
            except InputError as error:
                yield error


def _strange_predictions(study: Study) -> Iterator[InputError]:
    """Yield the intervals and genotypes of predictions that are not of the genome that they are read with."""
    from glmflow.genome.intervals import read_intervals

    for prediction in study.predict.values():
        fasta = prediction.fasta or _own_genome(study)
        if prediction.records or fasta is None or is_made(study, fasta):
            continue
        chosen: set[str] | None = set() if prediction.bed or prediction.write == "expression" else None
        try:
            if prediction.bed and not is_made(study, prediction.bed):
                chosen = {interval[0] for interval in read_intervals(Path(prediction.bed), _contigs_of(study, fasta))}
        except InputError as error:
            yield error
        of_cohort = study.cohort is not None and prediction.vcf in study.cohort.vcf and not prediction.fasta
        if prediction.vcf and not is_made(study, prediction.vcf) and not of_cohort:
            yield from _foreign_genotypes(study, [prediction.vcf], fasta, chosen)


def _strange_questions(study: Study) -> Iterator[InputError]:
    """Yield the files that models are asked about as they are and that are cut short, or not of the genome."""
    from glmflow.genome.intervals import read_intervals
    from glmflow.text_files import check_complete

    for _, _, block in questions(study):
        fasta = block.named_files.get("fasta") or _own_genome(study)
        for key, path in block.named_files.items():
            try:
                if is_made(study, path):
                    continue
                if key in ("bed", "calibrate") and fasta and not is_made(study, fasta):
                    read_intervals(Path(path), _contigs_of(study, fasta))
                elif Path(path).is_file():
                    check_complete(Path(path))
            except InputError as error:
                yield error


def _own_genome(study: Study) -> str | None:
    """Return the real genome of a study; None where it has none."""
    if study.simulate and study.simulate.overlay:
        return study.simulate.overlay.fasta
    return study.reference.fasta if study.reference else None


def _contigs_of(study: Study, fasta: str) -> dict[str, int]:
    """Return the contigs of a genome: of the study's own, which a job copies, also where it is in plain gzip."""
    from glmflow.genome.reference import Reference, contig_lengths

    own = not study.simulate and study.reference is not None and fasta == study.reference.fasta
    return contig_lengths(fasta) if own else Reference(fasta).contigs


def _foreign_genotypes(
    study: Study, vcfs: Sequence[str], fasta: str, chosen: Collection[str] | None = None
) -> Iterator[InputError]:
    """Yield the contigs of VCFs that hold variants and are not in the genome, or have another length there.

    Without a current index only the contig of the first record is known; the others are compared while the file is
    parsed. Where the contigs to read are `chosen` by name, the VCFs may have others, and others of another length.
    """
    from glmflow.genome.contigs import find_contig
    from glmflow.genome.guards import foreign_contig, other_length
    from glmflow.genome.vcf_files import contigs_with_records, stated_lengths

    try:
        contigs = _contigs_of(study, fasta)
        for vcf in map(Path, vcfs):
            found, lengths = contigs_with_records(vcf), stated_lengths(vcf)
            if not found.complete and chosen is None:
                log.warning(
                    "%s has no current index: whether all of its contigs are in %s is checked while it is parsed",
                    vcf,
                    fasta,
                )
            for name in found.names:
                ours = find_contig(name, contigs)
                if ours is None:
                    if chosen is None:
                        yield foreign_contig(name, Path(fasta), vcf)
                elif chosen is not None and ours not in chosen:
                    continue
                elif lengths.get(name, contigs[ours]) != contigs[ours]:
                    yield other_length(name, lengths[name], contigs[ours], vcf)
    except InputError as error:
        yield error
