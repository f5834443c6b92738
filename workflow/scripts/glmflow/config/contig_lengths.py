"""Lengths of a study's contigs, as far as they are known before anything runs, and how many windows fit on them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from .views import StudyView


def simulated_contigs(study: StudyView) -> dict[str, int]:
    """Return the lengths of the contigs of a genome made from nothing; none where the study has a real one."""
    if study.reference or not study.simulate or study.simulate.overlay:
        return {}
    return dict(study.simulate.settings.contigs)


def contig_lengths(study: StudyView) -> dict[str, int] | None:
    """Return the lengths of the contigs, from the simulation's settings or from the index beside the FASTA."""
    if study.simulate and not study.simulate.overlay:
        return dict(study.simulate.settings.contigs)
    reference = study.data.reference
    places = [f"{study.results}/reference/genome.fa.fai"]
    places += [f"{reference.fasta}.fai"] if reference else []
    if study.simulate and study.simulate.overlay:
        places.append(f"{study.simulate.overlay.fasta}.fai")
    index = next((Path(place) for place in places if Path(place).is_file()), None)
    if index is None:
        return None
    rows = (line.split("\t") for line in index.read_text().splitlines())
    wanted = reference.contigs if reference else None
    return {row[0]: int(row[1]) for row in rows if not wanted or row[0] in wanted}


def training_windows(study: StudyView, size: int, overlap: int) -> int | None:
    """Return about how many windows are learned from; None where the lengths of the contigs are not known yet."""
    lengths = contig_lengths(study)
    if lengths is None or study.splits is None:
        return None
    if study.splits.by == "contig":
        return windows_on([lengths[name] for name in study.splits.train if name in lengths], size, overlap)
    share = 1 - study.splits.validation - study.splits.test
    return round(share * windows_on(lengths.values(), size, overlap))


def held_out_windows(study: StudyView, size: int, overlap: int) -> int | None:
    """Return about how many windows are predicted: all that are not learned from; None as above."""
    learned, lengths = training_windows(study, size, overlap), contig_lengths(study)
    if learned is None or lengths is None:
        return None
    return windows_on(lengths.values(), size, overlap) - learned


def windows_on(lengths: Iterable[int], size: int, overlap: int) -> int:
    """Return the number of windows on contigs of these lengths, the last of each flush with its end."""
    step = size - overlap
    return sum(max(1, math.ceil((length - size) / step) + 1) for length in lengths)
