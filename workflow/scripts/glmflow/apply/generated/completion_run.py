"""Genes completed by a model, and by what knows less: scores alone are kept, of what was drawn no base is written."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from glmflow.dna.completed_genes import Gene, Score, chain_scores, score_bases, shuffled_scores
from glmflow.dna.markov import Chain
from glmflow.models.adapter import Adapter
from glmflow.models.drawing import Sampling
from glmflow.statistics.bootstrap import interval_of_mean
from glmflow.training.inputs.gene_prompts import completed

log = logging.getLogger(__name__)

ORDER = 5
DRAWS = 1000


def completion_table(
    model: Adapter | None, genes: Sequence[Gene], training: Sequence[str], samples: int, sampling: Sampling, batch: int
) -> pd.DataFrame:
    """Return the scores of a model on genes, beside its floors.

    Parameters
    ----------
    model
        None: the floors alone.
    training
        Sequences that the Markov floor is counted on; none: there is no such floor.
    samples
        Continuations of each gene.

    Returns
    -------
    DataFrame
        A row a gene and source (the model's family, `Markov-5`, `shuffled protein`, `truth`): `gene`, `organism`, `source`, `n`,
        `official` (mean over samples that have a score, as published), `unscored` (samples without), `strict`, `strict_low`,
        `strict_high` (95 %, bootstrap over samples), `aligned` (mean residues), `to_write` (residues that had to be written).
    """
    rows = []
    chain = Chain(training, ORDER) if training else None
    for place, gene in enumerate(genes):
        log.info("%s, %s: prompt of %d bases, %d to draw", gene.name, gene.organism, len(gene.prompt), gene.length)
        for source, scores in _sources(model, gene, chain, samples, sampling, batch, place):
            strict = np.array([score.strict for score in scores])
            official = np.array([score.official for score in scores])
            known = official[np.isfinite(official)]
            interval = interval_of_mean(strict, DRAWS, sampling.seed)
            rows.append(
                {
                    "gene": gene.name,
                    "organism": gene.organism,
                    "source": source,
                    "n": len(scores),
                    "official": known.mean() if len(known) else np.nan,
                    "unscored": len(official) - len(known),
                    "strict": interval.value,
                    "strict_low": interval.low,
                    "strict_high": interval.high,
                    "aligned": np.mean([score.aligned for score in scores]),
                    "to_write": len(gene.protein) - gene.given,
                }
            )
    return pd.DataFrame(rows)


def _sources(
    model: Adapter | None,
    gene: Gene,
    chain: Chain | None,
    samples: int,
    sampling: Sampling,
    batch: int,
    place: int,
) -> Iterator[tuple[str, list[Score]]]:
    """Yield what completes a gene, with its scores."""
    generator = np.random.default_rng([sampling.seed, place])
    if model is not None:
        yield model.card.family, completed(model, gene, place, samples, sampling, batch)
    if chain is not None:
        yield f"Markov-{ORDER}", chain_scores(gene, chain, samples, generator)
    yield "shuffled protein", shuffled_scores(gene, samples, generator)
    yield "truth", [score_bases(gene, gene.genomic[gene.start + 3 * gene.given :])]
