"""Prompts that are held-out regions which a BED file names, such as what lies before genes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from glmflow.bases import other_strand, reverse_complement
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.sequence_records import UNKNOWN, letters
from glmflow.corpus.source_places import row_of_region
from glmflow.errors import InputError
from glmflow.genome.intervals import bed_lines


class Prompt(NamedTuple):
    """A stretch of held-out sequence, and what follows it on the same strand; nothing where that is not all known."""

    sequence: str
    following: str = ""


def following(corpus: Corpus, row: int, end: int, bases: int, start: int = 0) -> str:
    """Return the bases of a sequence behind a place; empty where they lie beyond its end or hold unknown ones.

    Parameters
    ----------
    start
        Where the stretch that they follow begins: a circular sequence goes on until it comes to it.
    """
    own = corpus.table.loc[row]
    length = int(own["length"])
    most = start + length if own["topology"] == "circular" else length
    if bases <= 0 or end + bases > most:
        return ""
    first = end % length if own["topology"] == "circular" else end
    codes = corpus.codes(row, first, first + bases)
    return "" if ((codes & 7) >= UNKNOWN).any() else letters(codes).tobytes().decode()


def region_prompts(corpus: Corpus, path: Path, bases: int, most: int, behind: int = 0) -> dict[str, Prompt]:
    """Return the last bases of each region, read off its strand (column 6), by its place; of the first `most` regions.

    Parameters
    ----------
    behind
        Bases that follow on the strand and are told beside each.

    Raises
    ------
    InputError
        There is no region, or one is shorter than a prompt, has unknown bases there or lies not in the test part.
    """
    found: dict[str, Prompt] = {}
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
        if turned:
            before = following(corpus, place[0], place[1] - behind, behind) if place[1] >= behind else ""
            found[name] = Prompt(reverse_complement(prompt).tobytes().decode(), other_strand(before) if before else "")
        else:
            found[name] = Prompt(prompt.tobytes().decode(), following(corpus, place[0], place[1] + bases, behind))
    if not found:
        raise InputError("no region", where=path, fix="Give at least one line of chrom, start and end.")
    return found
