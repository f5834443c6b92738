"""A genome in which far context helps: a Markov background in which most bases are copies of what lies before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from glmflow.config.simulation import Repeats
from glmflow.files import atomic_path
from glmflow.genome.repeated_segments import markov_chain, markov_sequences, substitute
from glmflow.simulate.outputs import stream
from glmflow.simulate.repeat_truth import write_truth
from glmflow.simulate.reproducible_files import LINE_BP

PIECES = 64
"""Stretches of background drawn side by side; the chain starts again at each of them."""


def simulate_genome(settings: Repeats, path: Path, truth: Path | None = None) -> None:
    """Write the genome that `settings` describe as FASTA, and its truth; the same bytes for the same settings."""
    chain, copies = markov_chain(stream(settings.seed, "chain")), {}
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        for name, length in settings.contigs.items():
            contig, copies[name] = repeat_contig(chain, length, stream(settings.seed, name), settings)
            sequence = contig.tobytes()
            lines = (sequence[start : start + LINE_BP] for start in range(0, length, LINE_BP))
            handle.write(b">" + name.encode() + b"\n" + b"\n".join(lines) + b"\n")
    if truth is not None:
        truth.parent.mkdir(parents=True, exist_ok=True)
        write_truth(truth, chain, settings.substitutions, copies)


def repeat_contig(
    chain: NDArray[np.float64], length: int, rng: Generator, settings: Repeats
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw a contig, ``uint8[length]`` ASCII codes, and return its copies too, ``int64[n, 3]``: start, end, distance.

    From the first `reach` bases on, copies follow each other with gaps of background between. Each is of a segment
    that begins a distance before it: near ones as in tandem repeats, and others drawn uniformly in the logarithm of
    the distance up to `reach`, as interspersed repeats are near and far alike.
    """
    background = markov_sequences(chain, PIECES, -(-length // PIECES), rng).reshape(-1)
    sequence = background[:length].copy()
    start, copies = settings.reach, []
    while (size := int(rng.integers(settings.copy_bp[0], settings.copy_bp[1] + 1))) <= length - start:
        if rng.random() < settings.near:
            distance = int(rng.integers(size, max(size, settings.near_bp) + 1))
        else:
            distance = round(float(np.exp(rng.uniform(np.log(size), np.log(settings.reach)))))
        source = sequence[start - distance : start - distance + size]
        sequence[start : start + size] = substitute(source, settings.substitutions, rng)
        copies.append((start, start + size, distance))
        start += size + int(rng.geometric(1 / settings.gap))
    return sequence, np.array(copies, np.int64).reshape(-1, 3)
