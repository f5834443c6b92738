"""Whether sequences that were drawn by a tag are of it: the tag that their k-mers are assigned to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from glmflow.dna import kmer_tables

K = 5
"""Longer words know more of a genome, and need longer pieces."""


class Profiles(NamedTuple):
    """Tags, and the logarithm of the share of each k-mer in sequences of each, ``float64[tags, 4**k]``."""

    names: list[str]
    logs: NDArray[np.float64]


def profiles_of(texts: Mapping[str, Sequence[str]]) -> Profiles:
    """Return the profiles of tags, counted on sequences of each, both strands, with half a count added to every k-mer."""
    counts = np.array([kmer_tables.counts(own, K, both_strands=True) for own in texts.values()]) + 0.5
    return Profiles(list(texts), np.log(counts / counts.sum(1, keepdims=True)))


def assigned(pieces: Sequence[str], profiles: Profiles) -> list[str]:
    """Return the tag under whose profile the k-mers of each piece are likeliest.

    A naive Bayes classifier of words, tags as likely beforehand (as in Wang et al. 2007, of 16S rRNA).
    """
    counts = np.array([kmer_tables.counts([piece], K) for piece in pieces]).reshape(len(pieces), -1)
    return [profiles.names[place] for place in (counts @ profiles.logs.T).argmax(1)]
