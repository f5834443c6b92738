"""What is counted of each piece, and the statistics that pooled counts give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glmflow.dna import dinucleotides, gene_calls, kmer_tables, minhash, open_frames, pictures
from glmflow.dna.exact_matches import Collection, Match
from glmflow.dna.low_complexity import low_windows
from glmflow.dna.markov import Chain
from glmflow.genome.canonical import as_bases, coded
from glmflow.statistics.context_mixture import ContextMixture

from . import embedding_distance, motif_sets, protein_families, shared_words

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
    compressor
        Context mixture that learned from the training sequences.
    walked
        Some real pieces, which walks are compared with.
    further
        From a piece to what a model, motifs or profiles tell of it.
    """

    real: Facts
    chain: Chain
    training: Collection
    real_kmers: NDArray[np.uint64]
    training_kmers: NDArray[np.uint64]
    compressor: ContextMixture
    walked: tuple[str, ...] = ()
    further: Callable[[str], Facts] = field(default=lambda piece: {})


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
        found["ends"] = gene_calls.start_and_stop_counts(piece, genes).astype(float)
    return found


def compared(piece: str, background: Background) -> tuple[Facts, Match]:
    """Return what is counted of a piece against real and training sequences, and its matches to training."""
    bits = background.chain.bits(piece)
    match = background.training.match(piece)
    own = minhash.hashes([piece])
    nats = background.compressor.nats(coded(as_bases(piece)))
    known = np.isfinite(nats)
    apart = [pictures.walk_distance(piece, other) for other in background.walked if len(other) == len(piece)]
    found = counts_of(piece) | {
        "compressor": np.array([nats[known].sum() / np.log(2), known.sum()]),
        "walk": np.array([np.mean(apart), 1.0]) if apart else np.zeros(2),
        "bits": np.array([bits.sum(), len(bits)]),
        "matches": np.array([match.longest, match.covered(32), match.covered(50), len(piece), 1], float),
        "held": np.array([_held(own, background.real_kmers), _held(own, background.training_kmers), len(own)], float),
    }
    return found | background.further(piece), match


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


def _ratio(part: NDArray, whole: NDArray) -> NDArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return part / whole


def _share(place: int, of: int, factor: float = 1.0) -> Callable[[NDArray, Facts], NDArray]:
    def value(sums: NDArray, real: Facts) -> NDArray:
        return factor * _ratio(sums[..., place], sums[..., of])

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
OF_GENES = "of genes (of open frames where Prodigal is missing)"
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
    Statistic("compressor_bits", "bits per base, compressor", WORDS, "compressor", _share(0, 1),
              "Bits a base costs under a mixture of context models that learned from the training sequences."),
    Statistic("judge_bits", "bits per base, other model", WORDS, "judge", _share(0, 1),
              "Bits a base costs under a language model that did not draw the sequences."),
    Statistic("walk_distance", "distance of walks", WORDS, "walk", _share(0, 1),
              "Root mean square distance of the walk of a piece from those of real pieces, by the root of their length."),
    Statistic("motif_jaccard", "Jaccard index of motifs", WORDS, "motifs", motif_sets.jaccard,
              "Of the share of pieces that each motif has a site in, and that share of real pieces: 1 is equal."),
    Statistic("frechet", "Fréchet distance of embeddings", WORDS, "embedding", embedding_distance.frechet,
              f"Of the states that a fixed model has of a piece, in units of the variance of real ones. {NEAR}"),
    Statistic("frames_per_kb", "open frames per kb", GENES, "frames", _share(0, 2, 1000),
              "Reading frames from ATG to a stop of 90 nt or more, six frames, per 1,000 bases."),
    Statistic("frame_length", "length of open frames", GENES, "frames", _share(1, 0), "Mean length in nt."),
    Statistic("coding", "coding share", GENES, "genes", _share(2, 5),
              "Share of bases in genes that Prodigal finds (metagenomic mode)."),
    Statistic("gene_length", "length of genes", GENES, "genes", _share(1, 0), "Mean length of these genes in nt."),
    Statistic("genes_per_kb", "genes per kb", GENES, "genes", _share(0, 5, 1000), "Genes per 1,000 bases."),
    Statistic("strand_switches", "strand switches", GENES, "genes", _share(3, 4),
              "Share of neighbouring genes that lie on different strands."),
    Statistic("start_atg", "starts with ATG", GENES, "ends", lambda sums, real: _ratio(sums[..., 0], sums[..., :3].sum(-1)),
              "Share of these genes that start with ATG, among ATG, GTG and TTG."),
    Statistic("stop_taa", "stops with TAA", GENES, "ends", lambda sums, real: _ratio(sums[..., 3], sums[..., 3:].sum(-1)),
              "Share of these genes that stop with TAA, among TAA, TAG and TGA."),
    Statistic("codon_js", "JS divergence of codons", GENES, "codons", _divergence("codons"),
              f"Jensen-Shannon divergence of the codons of these genes from real ones, bits. {NEAR}"),
    Statistic("family_share", "proteins in a family", GENES, "families", protein_families.matched_share,
              f"Share of the proteins {OF_GENES} that have a hit to any of the profile HMMs."),
    Statistic("family_hits", "hits to families per kb", GENES, "families", protein_families.hits_per_kb,
              f"Hits of the proteins {OF_GENES} to the profile HMMs per 1,000 bases."),
    Statistic("families", "families found", GENES, "families", protein_families.families_found,
              "Profile HMMs that have a hit; more pieces would have more."),
    Statistic("families_held", "real families held", GENES, "families", protein_families.real_families_held,
              "Share of the profile HMMs with a hit in the reference of real sequences that have one here."),
    Statistic("family_use", "use of families in common", GENES, "families", protein_families.use_in_common,
              "Of the hits per base of each profile HMM, and those of real ones: the sum of the lesser over that of the larger, "
              "1 is equal."),
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
    Statistic("real_held", "real 21-mers held", COPIES, "shared", shared_words.real_held,
              "Share of the 21-mers of the reference of real sequences that the group holds, either strand."),
    Statistic("jaccard_real", "Jaccard index of 21-mers", COPIES, "shared", shared_words.jaccard,
              "21-mers that the group and the reference of real sequences have in common, over all of both."),
    Statistic("ani_real", "identity by 21-mers", COPIES, "shared", shared_words.identity,
              "Identity with the reference of real sequences that the share of 21-mers in it implies, C^(1/21)."),
    Statistic("shared", "21-mers shared within", COPIES, "shared", _share(0, 1),
              "Share of the 21-mers that another sequence of the same group holds: 0 is diverse."),
    Statistic("low_complexity", "low complexity", COPIES, "dust", _share(0, 1),
              "Share of windows of 64 bases with a DUST score above 2."),
)  # fmt: skip
