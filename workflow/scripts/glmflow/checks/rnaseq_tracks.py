"""Checks of kind `rnaseq_tracks`: whether its tracks are different measurements, and cover what is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glmflow.config import Study, is_made

if TYPE_CHECKING:
    from glmflow.config.task_block import TaskBlock
    from glmflow.tasks.tables import Made

    from .audit import Audit
    from .named_samples import Problem, Samples

SPLITS = ("train", "validation", "test")
STATUS = {"replicates": "warn", "strands": "fail", "biosamples": "fail"}
"""What one signal under two names means: replicates are fewer than they seem; what strands or biosamples differ in is nothing."""


def check(study: Study, label: str, cohort: Callable[[], Samples | None]) -> Iterator[Problem]:
    """Yield the replicates that have no value on a whole contig of a split: they would be learnt and scored as silence."""
    splits, reference = study.splits, study.data.reference
    names = study.tasks[label].track_names(study)
    files = {name: study.data.tracks[name].replicates for name in names if name in study.data.tracks}
    given = [path for paths in files.values() for path in paths]
    if splits is None or splits.by != "contig" or reference is None or is_made(study, reference.fasta):
        return
    if any(is_made(study, path) or not Path(path).is_file() for path in given):
        return
    from glmflow.errors import InputError
    from glmflow.genome.reference import contig_lengths
    from glmflow.tracks.uncovered_contigs import uncovered_contigs

    try:
        lengths = contig_lengths(reference.fasta)
        contigs = {split: [name for name in getattr(splits, split) if name in lengths] for split in SPLITS}
        found = uncovered_contigs(files, contigs, lengths)
    except InputError:  # said where the file itself is looked at
        return
    for one in found:
        position = [Path(path) for path in files[one.track]].index(one.path)
        yield ("tracks",), f"tracks.{one.track}.replicates.{position}: {one.error()}"


def audits(task: TaskBlock, files: Mapping[str, Any], made: Made, data: Mapping[str, Any]) -> list[Audit]:
    """Return whether any two files of the task's tracks hold one signal: copied, scaled, negated, encoded again."""
    from glmflow.genome.reference import Reference

    return _of_signals(data.get("tracks") or {}, Reference(files["fasta"]).contigs)


def of_files(study: Study, label: str) -> list[Audit]:
    """Return the same of the files that are given, before any job; none where jobs will make them."""
    from glmflow.genome.reference import contig_lengths

    reference, names = study.data.reference, study.tasks[label].track_names(study)
    tracks = {name: study.data.tracks[name].model_dump(mode="json") for name in names}
    given = [path for track in tracks.values() for path in track["replicates"]]
    if reference is None or is_made(study, reference.fasta) or any(is_made(study, path) for path in given):
        return []
    return _of_signals(tracks, contig_lengths(reference.fasta))


def _of_signals(given: Mapping[str, Any], contigs: Mapping[str, int]) -> list[Audit]:
    """Return an audit for each that two files should differ in."""
    tracks = {name: (track["biosample"], track["strand"], track["replicates"]) for name, track in given.items()}
    if sum(len(track[2]) for track in tracks.values()) < 2:
        return []
    from glmflow.tracks.made_of_others import (
        differences,
        mirrored_pairs,
        parallel_pairs,
        sample_of,
        smoothed_pairs,
        sums_of_others,
    )
    from glmflow.tracks.part_of_reads import parts_of_reads
    from glmflow.tracks.same_signal import between_of, same_signals, sentence

    from .audit import graded, named

    pairs = same_signals(tracks, contigs)
    said = [(row["between"], sentence(row)) for row in pairs.to_dict("records")]
    paths = [str(path) for _, _, files in tracks.values() for path in files]
    owner = [(label, *track[:2]) for label, track in tracks.items() for _ in track[2]]
    copies, sample = {paths.index(str(path)) for path in pairs["file_b"]}, sample_of(paths)
    pairs_of = {
        "scaled, with a number added": parallel_pairs(sample),
        "read from the contigs' ends": mirrored_pairs(sample),
        "smoothed": smoothed_pairs(sample),
        "differentiated": differences(sample),
    }
    for a, b, how in [(*pair, how) for how, own in pairs_of.items() for pair in own]:
        if b not in copies and a not in copies:
            copies.add(b)
            text = f"{paths[b]} is {paths[a]}, {how}: one measurement under two names"
            said.append((between_of(owner[a], owner[b]), text))
    found = []
    for between, limit in STATUS.items():
        own = [text for kind, text in said if kind == between]
        text = f"{len(own):,} pairs of files that should be different {between} hold one signal"
        text += f": {named(own)}" if own else ""
        found.append(graded(f"one signal as two {between}", len(own), text, **{limit: 0}))
    made = sums_of_others(sample, sorted(copies))
    sums = [
        f"{paths[one.column]} is " + " + ".join(f"{w:.3g} x {paths[n]}" for n, w in zip(one.parts, one.weights))
        for one in made
    ]
    told = {(one.column, part) for one in made for part in one.parts}
    parts = [
        f"{paths[b]} holds part of the reads of {paths[a]}"
        for a, b in parts_of_reads(sample.values)
        if (a, b) not in told and not {a, b} & copies
    ]
    text = f"{len(sums):,} files are sums or means of other files" + (f": {named(sums)}" if sums else "")
    text += f"; {len(parts):,} hold part of another's reads: {named(parts)}" if parts else ""
    return [*found, graded("signals made of others", len(sums) + len(parts), text, warn=0)]
