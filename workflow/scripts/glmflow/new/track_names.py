"""Biosample, strand and replicate of a track, read from the name of its file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

STRANDS = {
    "+": ("plus", "pos", "positive", "fwd", "forward", "watson", "+"),
    "-": ("minus", "neg", "negative", "rev", "reverse", "crick", "-"),
}
NOISE = {
    *("bw", "bigwig", "coverage", "cov", "signal", "track", "rnaseq", "rna", "raw", "norm", "normalized", "normalised"),
    *("unique", "uniq", "all", "reads", "cpm", "rpm", "rpkm", "tpm", "str1", "str2", "out", "merged", "strand", "seq"),
}
"""Words of a name that say nothing about whose signal it is."""
REPLICATE = re.compile(r"(?:bio|tech)?(?:replicate|rep|r|br|tr|donor|d)_?(\d+)", re.IGNORECASE)
NUMBER = re.compile(r"\d{1,2}")
IDENTIFIER = re.compile(r"[A-Za-z]{1,8}\d{2,}[A-Za-z0-9]*")
"""Donors and accessions: letters, then digits."""


class NamedTrack(NamedTuple):
    """What the name of a file says: `strand` is `.` and `replicate` empty where it says nothing."""

    path: str
    biosample: str
    strand: str
    replicate: str


class TrackGroup(NamedTuple):
    """Files that are replicates of one signal, under a label that can stand in a path."""

    label: str
    biosample: str
    strand: str
    paths: list[str]


def read_names(paths: Sequence[str]) -> list[NamedTrack]:
    """Return what the names of some files say, each of them seen beside the others.

    Words that every name has tell nothing apart and are dropped, as long as one is left; an identifier (letters, then
    digits) that differs between names which are alike in everything else is a replicate: a donor.
    """
    words = [_words(Path(path)) for path in paths]
    parts = [_parts(found) for found in words]
    common = set.intersection(*(set(rest) for rest, _, _ in parts)) if len(parts) > 1 else set()
    rests = []
    for rest, _, _ in parts:
        own = [word for word in rest if word not in common]
        rests.append(own or rest)
    donors = _donors(rests, [strand for _, strand, _ in parts], [replicate for _, _, replicate in parts])
    shared = "_".join(word for word in parts[0][0] if word in common) if parts else ""
    found = []
    for path, rest, (_, strand, replicate), donor in zip(paths, rests, parts, donors):
        named = [word for word in rest if word != donor] if donor else rest
        biosample = "_".join(named) or shared or "sample"
        found.append(NamedTrack(path, biosample, strand, replicate or donor or ""))
    return found


def grouped(named: Sequence[NamedTrack]) -> list[TrackGroup]:
    """Return the files of each biosample and strand; replicates of one signal are together, in the order of their names.

    Files without a replicate in their names stay apart where another one has the same biosample and strand.
    """
    groups: dict[tuple[str, str], list[NamedTrack]] = {}
    for track in named:
        groups.setdefault((track.biosample, track.strand), []).append(track)
    found = []
    taken: Counter[str] = Counter()
    for (biosample, strand), members in groups.items():
        apart = len(members) > 1 and len({track.replicate for track in members}) < len(members)
        for paths in [[track.path] for track in members] if apart else [[track.path for track in members]]:
            label = _label(biosample, strand)
            taken[label] += 1
            label = label if taken[label] == 1 else f"{label}_{taken[label]}"
            found.append(TrackGroup(label, biosample, strand, sorted(paths)))
    return found


def _words(path: Path) -> list[str]:
    """Return the words of a file's name; a sign at its end is a word."""
    name = path.name
    for suffix in (".bigwig", ".bigWig", ".BigWig", ".bw"):
        name = name.removesuffix(suffix)
    sign = name[-1:] if name[-1:] in "+-" else ""
    return [*re.split(r"[.\-_ ()]+", name.rstrip("+-")), sign]


def _parts(words: Sequence[str]) -> tuple[list[str], str, str]:
    """Return the words that are left for the biosample, the strand and the replicate."""
    rest, strand, replicate = [], ".", ""
    for word in filter(None, words):
        sign = next((sign for sign, names in STRANDS.items() if word.lower() in names), None)
        match = REPLICATE.fullmatch(word) or NUMBER.fullmatch(word)
        if sign and strand == ".":
            strand = sign
        elif match and not replicate and rest:
            replicate = match.group(match.lastindex or 0)
        elif word.lower() not in NOISE:
            rest.append(word)
    return rest or [next(filter(None, words), "sample")], strand, replicate


def _donors(rests: Sequence[Sequence[str]], strands: Sequence[str], replicates: Sequence[str]) -> list[str | None]:
    """Return the identifier of each name that alone tells it from others; None where there is none."""
    alike: Counter[tuple] = Counter()
    cut = []
    for rest, strand, replicate in zip(rests, strands, replicates):
        last = next((word for word in reversed(rest) if IDENTIFIER.fullmatch(word)), None)
        if replicate or last is None:
            cut.append(None)
            continue
        key = (tuple(word for word in rest if word != last), strand)
        alike[key] += 1
        cut.append((last, key))
    return [found[0] if found and alike[found[1]] > 1 else None for found in cut]


def _label(biosample: str, strand: str) -> str:
    """Return a label of letters, digits, `_`, `.` and `-` that begins with a letter or digit."""
    text = re.sub(r"[^A-Za-z0-9_.-]+", "_", biosample).strip("_.-")[:80] or "track"
    return text + {"+": "_plus", "-": "_minus"}.get(strand, "")
