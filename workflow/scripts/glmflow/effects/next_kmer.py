"""`next` of a causal k-mer model: the base at a site from whole k-mers that end right before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmflow.bases import reverse_complement
from glmflow.genome.edits import Edits
from glmflow.genome.stretches import Genome

from .likelihood_model import LikelihoodModel
from .token_rows import BASE

N = ord("N")


def next_of_kmers(
    model: LikelihoodModel,
    genome: Genome,
    edits: Edits,
    members: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    window: int,
    strand: int,
) -> NDArray[np.float64]:
    """Return log p(alternative base) - log p(reference base) of single-base edits, `float64[n]`.

    The context is what lies to the left of the base on its strand: as many of the last `window` bases as make whole
    k-mers, N at its beginning left out; the probabilities of the next k-mer are summed by their first base. This is the
    score of GENERator's authors (Wu et al. 2025), who read the forward strand alone.
    """
    found = np.full(len(members), np.nan)
    groups: dict[bytes, list[tuple[int, int, int]]] = {}
    for place in np.flatnonzero(wanted).tolist():
        edit = int(members[place])
        start, end, bases = int(edits.start[edit]), int(edits.end[edit]), edits.bases[edit]
        if end - start != 1 or len(bases) != 1:
            continue
        chrom = edits.names[edits.contig[edit]]
        own = genome.fetch(chrom, start, end)
        if strand == 0:
            left = genome.fetch(chrom, max(start - window, 0), start)
        else:
            left = reverse_complement(genome.fetch(chrom, end, min(end + window, genome.contigs[chrom])))
        known = np.flatnonzero(left != N)
        left = left[known[0] :] if len(known) else left[:0]
        left = left[len(left) % model.k :]
        if not len(left):
            continue
        letters = [int(BASE[own[0]]), int(BASE[ord(bases)])]
        if strand == 1:
            letters = [3 - letter for letter in letters]
        groups.setdefault(left.tobytes(), []).append((place, *letters))
    by_length: dict[int, list[bytes]] = {}
    for key in groups:
        by_length.setdefault(len(key), []).append(key)
    for length, keys in by_length.items():
        size = model.rows_per_batch(length // model.k + 1)
        for begin in range(0, len(keys), size):
            some = keys[begin : begin + size]
            logs = _first_bases(model, np.frombuffer(b"".join(some), np.uint8).reshape(len(some), length))
            for key, row in zip(some, logs):
                for place, reference, alternative in groups[key]:
                    found[place] = row[alternative] - row[reference]
    return found


def _first_bases(model: LikelihoodModel, contexts: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return log-probabilities of the base behind each context, `float64[n, 4]`."""
    tokenizer = model.adapter.tokenizer
    rows = model.tokenize(contexts)
    last = int(rows.length[0]) - len(tokenizer.suffix)
    states = model.states(model.ids(rows.ids[:, :last]))
    logs = model.logits(states[:, -1:])[:, 0].log_softmax(-1).double().cpu().numpy()
    known = min(len(tokenizer.bases), logs.shape[1])
    table = tokenizer.bases[:known]
    whole = (table >= 0).all(1)
    sums = [np.logaddexp.reduce(logs[:, :known][:, whole & (table[:, 0] == base)], 1) for base in range(4)]
    return np.stack(sums, 1)
