"""Sequences that share something with a real one, and nothing else: what a statistic has to tell from real DNA."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from glmflow.genome.canonical import Sequence, as_bases

from .exact_matches import stretches
from .kmer_tables import CODE

LETTERS = np.frombuffer(b"ACGT", np.uint8)


def shuffled(sequence: Sequence, generator: np.random.Generator) -> str:
    """Return a sequence with its bases in another order: the counts of bases stay, exactly.

    Here and below letters other than A, C, G and T stay where they are, and stretches between them are shuffled apart.
    """
    return _by_stretch(sequence, lambda codes: generator.permutation(codes))


def dinucleotide_shuffled(sequence: Sequence, generator: np.random.Generator) -> str:
    """Return a sequence with the same counts of dinucleotides, exactly, drawn evenly among all that have them.

    Each order of a sequence with given dinucleotides is a walk over all edges between bases: the last edge that leaves
    each base has to lead on to the last base, the others may come in any order (Altschul and Erickson 1985). Last edges are
    drawn until they do.
    """

    def walk(codes: np.ndarray) -> np.ndarray:
        return CODE[np.frombuffer(eulerian_walk(LETTERS[codes].tobytes().decode(), generator).encode(), np.uint8)]

    return _by_stretch(sequence, walk)


def mutated(sequence: Sequence, share: float, generator: np.random.Generator) -> str:
    """Return a sequence in which each base is another one with a probability."""

    def change(codes: np.ndarray) -> np.ndarray:
        hit = generator.random(len(codes)) < share
        return np.where(hit, (codes + generator.integers(1, 4, len(codes))) % 4, codes)

    return _by_stretch(sequence, change)


def eulerian_walk(sequence: str, rng: np.random.Generator) -> str:
    """Return a sequence with the same first and last base and the same dinucleotides in a random order.

    It is a random Eulerian path of the graph whose edges are the dinucleotides (Altschul and Erikson 1985).
    """
    if len(sequence) < 3:
        return sequence
    following: dict[str, list[str]] = {}
    for one, other in pairwise(sequence):
        following.setdefault(one, []).append(other)
    last = sequence[-1]
    while True:
        final = {base: str(rng.choice(edges)) for base, edges in following.items() if base != last}
        if all(_leads_to(base, last, final) for base in final):
            break
    for base, edges in following.items():
        if base in final:
            edges.remove(final[base])
        order = rng.permutation(len(edges))
        following[base] = [edges[place] for place in order] + ([final[base]] if base in final else [])
    found, at = [sequence[0]], dict.fromkeys(following, 0)
    while len(found) < len(sequence):
        base = found[-1]
        found.append(following[base][at[base]])
        at[base] += 1
    return "".join(found)


def _leads_to(base: str, last: str, final: dict[str, str]) -> bool:
    seen = set()
    while base != last and base not in seen:
        seen.add(base)
        base = final[base]
    return base == last


def _by_stretch(sequence: Sequence, change) -> str:
    letters = as_bases(sequence).copy()
    for start, piece in stretches(sequence):
        letters[start : start + len(piece)] = LETTERS[change(CODE[piece])]
    return letters.tobytes().decode("ascii")


def eulerian_walks(sequences: list[str], seed: int) -> list[str]:
    """Return sequences with the same dinucleotides, one after another from one seed."""
    rng = np.random.default_rng(seed)
    return [eulerian_walk(sequence, rng) for sequence in sequences]
