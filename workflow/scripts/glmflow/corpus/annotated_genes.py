"""Genes of annotated genomes with what lies around them, as records of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from .genbank_features import Feature, places_of
from .part_names import part_name
from .sequence_records import Record

KINDS = ("gene", "CDS", "rRNA", "tRNA", "ncRNA", "tmRNA")


def gene_parts(record: Record, features: Sequence[Feature], flank: int, path: Path) -> Iterator[Record]:
    """Yield the stretches of a record that genes and `flank` bases on either side of them cover; what overlaps is one.

    Stretches are linear, and each part of a feature that is joined (over the origin of a circle) stands for itself: introns are
    in where the file has a feature `gene`, as RefSeq's have.

    Raises
    ------
    InputError
        A location cannot be read.
    """
    spans = []
    for feature in features:
        if feature.kind not in KINDS:
            continue
        found, _ = places_of(feature, record.name, path)
        spans += [(max(0, one.start - flank), min(len(record.codes), one.end + flank)) for one in found]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    for start, end in joined:
        yield replace(record, name=part_name(record.name, start, end), codes=record.codes[start:end], circular=False)
