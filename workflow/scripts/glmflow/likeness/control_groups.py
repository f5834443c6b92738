"""Groups that generated sequences are shown beside: each shares something with real ones and lacks the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from glmflow.dna.markov import Chain
from glmflow.dna.shuffles import dinucleotide_shuffled, mutated, shuffled

from .pieces import sampled

MARKOV_5 = "Markov-5"
ORDERS = (2, 5, 11)
MUTATED = (0.01, 0.05, 0.2)
COPY = "training copy"


def controls(
    real: Sequence[str],
    training: Sequence[str],
    others: Mapping[str, Sequence[str]],
    generator: np.random.Generator,
) -> Iterator[tuple[str, list[str]]]:
    """Yield name and pieces of each control, as many and as long as the real pieces.

    Parameters
    ----------
    real
        Held-out pieces: shuffled and mutated.
    training
        Training sequences, or long stretches of them: chains are counted on them, copies are cut from them.
    others
        Sequences of other species, by name.
    """
    lengths = [len(piece) for piece in real]
    yield "mononucleotide shuffle", [shuffled(piece, generator) for piece in real]
    yield "dinucleotide shuffle", [dinucleotide_shuffled(piece, generator) for piece in real]
    for order in ORDERS:
        chain = Chain(training, order)
        yield f"Markov-{order}", [chain.draw(length, generator) for length in lengths]
    for share in MUTATED:
        yield f"mutated {share:.0%}", [mutated(piece, share, generator) for piece in real]
    for name, sequences in others.items():
        yield name, sampled(sequences, lengths, generator)
    yield COPY, sampled(training, lengths, generator)
