"""What is counted of each piece, and the statistics that pooled counts give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glmflow.dna import dinucleotides, gene_calls, kmer_tables, minhash, open_frames
from glmflow.dna.exact_matches import Collection, Match
from glmflow.dna.low_complexity import low_windows
from glmflow.dna.markov import Chain

KS = (1, 2, 3, 4, 5, 6)
ORDER = 5
Facts = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Background:
    """What pieces are compared with.

    Attributes
    ----------
    real
        Pooled counts of the reference: real sequences that were held out.
    chain
        Order-5 chain of the training sequences.
    training
        Training sequences, for exact matches.
    real_kmers, training_kmers
        Hashes of their 21-mers.
    judge
        Bits of a piece under a language model, where one is given.
    """

    real: Facts
    chain: Chain
    training: Collection
    real_kmers: NDArray[np.uint64]
    training_kmers: NDArray[np.uint64]
    judge: Callable[[str], float] | None = None


def counts_of(piece: str) -> Facts:
    """Return what is counted of a piece by itself."""
    tables = {f"k{k}": kmer_tables.counts([piece], k).astype(float) for k in KS}
    frames = open_frames.open_frames(piece)
    found = tables | {
        "odds": np.concatenate([tables["k1"], tables["k2"]]),
        "frames": np.array([len(frames), sum(frame.end - frame.start for frame in frames), len(piece)], float),
        "dust": np.array(low_windows(piece), float),
    }
    if gene_calls.genes_known():
        genes = gene_calls.genes(piece)
        lengths = [gene.end - gene.start for gene in genes]
        switches = gene_calls.strand_switches(genes), max(0, len(genes) - 1)
        coding = gene_calls.coding_bases(genes, len(piece))
        found["genes"] = np.array([len(genes), sum(lengths), coding, *switches, len(piece)], float)
        found["codons"] = gene_calls.codon_counts(piece, genes).astype(float)
    return found


def compared(piece: str, background: Background) -> tuple[Facts, Match]:
    """Return what is counted of a piece against real and training sequences, and its matches to training."""
    bits = background.chain.bits(piece)
    match = background.training.match(piece)
    own = minhash.hashes([piece])
    found = counts_of(piece) | {
        "bits": np.array([bits.sum(), len(bits)]),
        "matches": np.array([match.longest, match.covered(32), match.covered(50), len(piece), 1], float),
        "held": np.array([_held(own, background.real_kmers), _held(own, background.training_kmers), len(own)], float),
    }
    if background.judge is not None:
        found["judge"] = np.array([background.judge(piece), len(piece)])
    return found, match


def shared_within(pieces: Sequence[str]) -> list[NDArray[np.float64]]:
    """Return of each piece how many of its 21-mers another piece of the group holds, and how many it has."""
    sets = [minhash.hashes([piece]) for piece in pieces]
    kinds, times = np.unique(np.concatenate(sets), return_counts=True) if sets else (np.zeros(0), np.zeros(0))
    repeated = kinds[times > 1]
    return [np.array([_held(own, repeated), len(own)], float) for own in sets]


def _held(own: NDArray, others: NDArray) -> int:
    return int(np.isin(own, others, assume_unique=True).sum())


@dataclass(frozen=True)
class Statistic:
    """A number of a group of pieces.

    Attributes
    ----------
    name, label, explanation
        For tables and for reading.
    fact
        What is pooled for it.
    value
        From pooled facts `[..., m]`, and the reference's, to the number `[...]`.
    level
        Heading it stands under.
    """

    name: str
    label: str
    level: str
    fact: str
    value: Callable[[NDArray, Facts], NDArray]
    explanation: str


def _share(place: int, of: int, factor: float = 1.0) -> Callable[[NDArray, Facts], NDArray]:
    def value(sums: NDArray, real: Facts) -> NDArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return factor * sums[..., place] / sums[..., of]

    return value


def _divergence(fact: str) -> Callable[[NDArray, Facts], NDArray]:
    def value(sums: NDArray, real: Facts) -> NDArray:
        own = (sums + 0.5) / (sums.sum(-1, keepdims=True) + 0.5 * sums.shape[-1])
        other = np.broadcast_to(kmer_tables.smoothed(real[fact]), own.shape)
        middle = (own + other) / 2
        return (own * np.log2(own / middle)).sum(-1) / 2 + (other * np.log2(other / middle)).sum(-1) / 2

    return value


def _entropy(sums: NDArray, real: Facts) -> NDArray:
    shares = sums / sums.sum(-1, keepdims=True)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(-1)


def _gc(sums: NDArray, real: Facts) -> NDArray:
    return (sums[..., 1] + sums[..., 2]) / sums.sum(-1)


def _odds(sums: NDArray, real: Facts) -> NDArray:
    known = dinucleotides.odds(real["odds"][:4], real["odds"][4:])
    flat = sums.reshape(-1, 20)
    found = [dinucleotides.odds_distance(dinucleotides.odds(row[:4], row[4:]), known) for row in flat]
    return np.array(found).reshape(sums.shape[:-1])


WORDS, GENES, COPIES = "Words", "Genes", "Copies and complexity"
NEAR = "0 is equal; two real samples differ too, by what the column of real sequences says."
STATISTICS = (
    Statistic("gc", "G + C", WORDS, "k1", _gc, "Share of G and C."),
    *(
        Statistic(f"js_{k}", f"JS divergence, k = {k}", WORDS, f"k{k}", _divergence(f"k{k}"),
                  f"Jensen-Shannon divergence of the {k}-mer counts from real ones, bits. {NEAR}")
        for k in KS
    ),
    Statistic("delta", "δ* of dinucleotides", WORDS, "odds", _odds,
              f"Mean difference of the odds of dinucleotides, both strands, from real ones (Karlin). {NEAR}"),
    *(
        Statistic(f"entropy_{k}", f"entropy, k = {k}", WORDS, f"k{k}", _entropy, f"Entropy of the {k}-mers, bits.")
        for k in (1, 2, 3, 6)
    ),
    Statistic("order5_bits", "bits per base, order-5 chain", WORDS, "bits", _share(0, 1),
              "Bits a base costs under an order-5 Markov chain of the training sequences."),
    Statistic("judge_bits", "bits per base, other model", WORDS, "judge", _share(0, 1),
              "Bits a base costs under a language model that did not draw the sequences."),
    Statistic("frames_per_kb", "open frames per kb", GENES, "frames", _share(0, 2, 1000),
              "Reading frames from ATG to a stop of 90 nt or more, six frames, per 1,000 bases."),
    Statistic("frame_length", "length of open frames", GENES, "frames", _share(1, 0), "Mean length in nt."),
    Statistic("coding", "coding share", GENES, "genes", _share(2, 5),
              "Share of bases in genes that Prodigal finds (metagenomic mode)."),
    Statistic("gene_length", "length of genes", GENES, "genes", _share(1, 0), "Mean length of these genes in nt."),
    Statistic("genes_per_kb", "genes per kb", GENES, "genes", _share(0, 5, 1000), "Genes per 1,000 bases."),
    Statistic("strand_switches", "strand switches", GENES, "genes", _share(3, 4),
              "Share of neighbouring genes that lie on different strands."),
    Statistic("codon_js", "JS divergence of codons", GENES, "codons", _divergence("codons"),
              f"Jensen-Shannon divergence of the codons of these genes from real ones, bits. {NEAR}"),
    Statistic("longest_match", "longest match to training", COPIES, "matches", _share(0, 4),
              "Mean over sequences of the longest exact match to a training sequence, either strand, bases."),
    Statistic("covered_32", "in matches of 32 and more", COPIES, "matches", _share(1, 3),
              "Share of bases in exact matches of at least 32 bases to training sequences."),
    Statistic("covered_50", "in matches of 50 and more", COPIES, "matches", _share(2, 3),
              "Share of bases in exact matches of at least 50 bases to training sequences."),
    Statistic("in_training", "21-mers of training", COPIES, "held", _share(1, 2),
              "Share of the 21-mers, either strand, that training sequences hold."),
    Statistic("in_real", "21-mers of real sequences", COPIES, "held", _share(0, 2),
              "Share of the 21-mers, either strand, that the reference of real sequences holds."),
    Statistic("shared", "21-mers shared within", COPIES, "shared", _share(0, 1),
              "Share of the 21-mers that another sequence of the same group holds: 0 is diverse."),
    Statistic("low_complexity", "low complexity", COPIES, "dust", _share(0, 1),
              "Share of windows of 64 bases with a DUST score above 2."),
)  # fmt: skip
