"""Prompts that are held-out regions which a BED file names, such as what lies before genes."""

from __future__ import annotations

from pathlib import Path

from glmflow.bases import reverse_complement
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.sequence_records import UNKNOWN, letters
from glmflow.corpus.source_places import row_of_region
from glmflow.errors import InputError
from glmflow.genome.intervals import bed_lines


def region_prompts(corpus: Corpus, path: Path, bases: int, most: int) -> dict[str, str]:
    """Return the last bases of each region, read off its strand (column 6), by its place; of the first `most` regions.

    Raises
    ------
    InputError
        There is no region, or one is shorter than a prompt, has unknown bases there or lies not in the test part.
    """
    found: dict[str, str] = {}
    for line in bed_lines(path):
        if len(found) == most:
            break
        if line.end - line.start < bases:
            what = f"a region of {line.end - line.start} bases is shorter than a prompt of {bases}"
            raise InputError(what, where=line.where, fix="Take a smaller `prompt_bp`, or longer regions.")
        turned = len(line.rest) > 2 and line.rest[2] == "-"
        start = line.start if turned else line.end - bases
        place = row_of_region(corpus, "test", line.chrom, start, start + bases)
        if place is None:
            what = f"{line.chrom}:{start}-{start + bases} does not lie in the test part of the corpus"
            fix = "Name regions of held-out sequence, by the names of the files of the corpus."
            raise InputError(what, where=line.where, fix=fix)
        codes = corpus.codes(place[0], place[1], place[1] + bases)
        if ((codes & 7) >= UNKNOWN).any():
            raise InputError("a prompt with unknown bases", where=line.where, fix="Take another region.")
        prompt = letters(codes)
        name = f"{line.chrom}:{line.start}-{line.end}" + ("(-)" if turned else "")
        found[name] = (reverse_complement(prompt) if turned else prompt).tobytes().decode()
    if not found:
        raise InputError("no region", where=path, fix="Give at least one line of chrom, start and end.")
    return found
