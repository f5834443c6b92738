"""How much of a protein a model completes from the start of its gene: as published, and over all that it had to write.

The published score (Brixi et al. 2025, Evo 2; its evaluation code of 2026) aligns the protein that was written with the true one
and takes the identity over positions that both have: ten right residues and a stop codon score 100 %, and a protein that is not
aligned at all has no score and is left out of the mean. The strict score divides by all residues that had to be written.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from glmflow.bases import other_strand
from glmflow.errors import InputError
from glmflow.text_files import text_lines

from .markov import Chain
from .open_frames import open_frames, translation

UPSTREAM, FRACTION, BEHIND = 1000, 0.3, 150
"""Bases before the gene and share of the gene that a prompt has, and bases that are drawn beyond its end."""
COLUMNS = ("gene", "organism", "cds_start", "reference_protein", "genomic_sequence")


class Gene(NamedTuple):
    """A gene to be completed; `protein` is the reference, its stop (`*`) included where the panel has it."""

    name: str
    organism: str
    genomic: str
    start: int
    protein: str

    @property
    def given(self) -> int:
        """Residues that the prompt holds."""
        return round((len(self.genomic) - self.start) / 3 * FRACTION)

    @property
    def before(self) -> int:
        """Bases of the prompt before the gene."""
        return min(UPSTREAM, self.start)

    @property
    def prompt(self) -> str:
        """1,000 bases before the gene and its first 30 %, in whole codons."""
        return self.genomic[self.start - self.before : self.start + 3 * self.given]

    @property
    def length(self) -> int:
        """Bases to draw: the other residues and 150 more."""
        return 3 * max(1, len(self.protein) - self.given) + BEHIND


class Score(NamedTuple):
    """Scores in percent: `official` is NaN where nothing is aligned; `aligned` and `equal` count residues."""

    official: float
    strict: float
    aligned: int
    equal: int


def read_panel(path: Path) -> list[Gene]:
    """Read a panel of genes without introns (CSV: gene, organism, cds_start, reference_protein, genomic_sequence).

    Raises
    ------
    InputError
        A column is missing, a gene does not lie in its sequence, or there is none.
    """
    lines = (line for _, line in text_lines(path))
    rows = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            where=path,
            fix="Give a panel of genes without introns: genes with introns need a splicer and are not scored here.",
        )
    found = []
    for number, row in enumerate(rows, start=2):
        genomic = "".join(row["genomic_sequence"].split()).upper()
        if not row["cds_start"].isdigit() or int(row["cds_start"]) + 9 > len(genomic):
            fix = "Give the 0-based start of the gene."
            raise InputError(f"cds_start {row['cds_start']!r} of {row['gene']}", where=f"{path}:{number}", fix=fix)
        protein = row["reference_protein"].strip().upper()
        found.append(Gene(row["gene"], row["organism"], genomic, int(row["cds_start"]), protein))
    if not found:
        raise InputError("no gene in it", where=path, fix="Give a panel of genes.")
    return found


def score_bases(gene: Gene, drawn: str) -> Score:
    """Return the scores of the bases that a model has drawn behind the prompt of a gene."""
    read, stop, _ = translation(gene.prompt[gene.before :] + drawn).partition("*")
    return score_protein(gene, read + stop)


def score_protein(gene: Gene, protein: str) -> Score:
    """Return the scores of a protein that was read from the gene's start; `*` at its end: up to a stop codon.

    It is aligned, without the stop, globally with the reference (BLOSUM62, 11 to open a gap, 1 to extend it, its ends alike); of
    equally good alignments the first one counts, as published. Where the reference has its stop, that is one of the residues that
    had to be written: it is right if a stop follows a residue that is aligned with the reference's last, and lifts no score
    above the published one.

    Raises
    ------
    InputError
        Biopython is not installed.
    """
    letters = protein.rstrip("*")
    if not letters:
        return Score(float("nan"), 0.0, 0, 0)
    wanted, own = _aligner().align(gene.protein, letters)[0].indices
    inside = (wanted >= gene.given) & (own >= 0)
    aligned = int(inside.sum())
    equal = sum(gene.protein[one] == letters[other] for one, other in zip(wanted[inside], own[inside]))
    official = 100 * equal / aligned if aligned else float("nan")
    last = (wanted == len(gene.protein.rstrip("*")) - 1) & (own == len(letters) - 1)
    stopped = bool(gene.protein.endswith("*") and protein.endswith("*") and last.any())
    strict = 100 * (equal + stopped) / max(1, len(gene.protein) - gene.given)
    return Score(official, min(strict, official) if aligned else 0.0, aligned, int(equal))


def shuffled_protein(gene: Gene, generator: np.random.Generator) -> str:
    """Return the reference with the residues that had to be written in another order: a floor of composition."""
    rest = np.array(list(gene.protein[gene.given :].rstrip("*")))
    return gene.protein[: gene.given] + "".join(generator.permutation(rest))


def chain_scores(gene: Gene, chain: Chain, samples: int, generator: np.random.Generator) -> list[Score]:
    """Return the scores of continuations by a Markov chain: what needs no knowledge of genes."""
    return [score_bases(gene, chain.draw(gene.length, generator, gene.prompt)) for _ in range(samples)]


def shuffled_scores(gene: Gene, samples: int, generator: np.random.Generator) -> list[Score]:
    """Return the scores of shuffled references: what composition alone is worth."""
    return [score_protein(gene, shuffled_protein(gene, generator)) for _ in range(samples)]


def nearest_protein(gene: Gene, proteins: Sequence[str]) -> Score:
    """Return the score of the training protein that shares most runs of three residues with those given: a look-up.

    What had to be written has no part in the choice. A protein that shares none completes nothing.
    """
    words = _words(gene.protein[: gene.given])
    shared = [len(words & _words(protein)) for protein in proteins]
    best = max(range(len(shared)), key=shared.__getitem__, default=0)
    return score_protein(gene, proteins[best]) if shared and shared[best] else Score(float("nan"), 0.0, 0, 0)


def training_proteins(sequences: Sequence[str], least: int = 300) -> list[str]:
    """Return the proteins of the open reading frames of sequences, `least` nucleotides and more, their stops included."""
    found = []
    for sequence in sequences:
        turned = other_strand(sequence)
        for start, end, strand in open_frames(sequence, least):
            piece = sequence[start:end] if strand > 0 else turned[len(sequence) - end : len(sequence) - start]
            found.append(translation(piece))
    return found


def _words(protein: str) -> set[str]:
    return {protein[start : start + 3] for start in range(len(protein) - 2)}


@cache
def _aligner() -> Any:
    try:
        from Bio.Align import PairwiseAligner, substitution_matrices
    except ImportError:
        raise InputError(
            "proteins cannot be aligned: biopython is not installed", fix="pip install biopython, or glmflow[proteins]."
        ) from None
    aligner = PairwiseAligner(mode="global", open_gap_score=-11, extend_gap_score=-1)
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    return aligner


def scores_table(examples: Sequence[str], scores: Sequence[Score]) -> pd.DataFrame:
    """Return `example`, `prediction` (strict score), `official` (NaN without one), `aligned` and `equal` residues."""
    return pd.DataFrame(
        {
            "example": list(examples),
            "prediction": [score.strict for score in scores],
            "official": [score.official for score in scores],
            "aligned": [score.aligned for score in scores],
            "equal": [score.equal for score in scores],
        }
    )
