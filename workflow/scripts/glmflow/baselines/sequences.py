"""Baselines of kind `sequences`: probabilities of classes and labels, and values, without a language model."""

from __future__ import annotations

from typing import Any

from . import sequence_predictors as simple
from .fitting_data import FittingData
from .gapped_kmers import fit_gkm_svm
from .labelled_fits import fit_of
from .sequence_lookups import fit_nearest_training


def several(value: Any) -> list[Any]:
    """Return values that are tried as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def network(data: simple.SequenceData, **settings: Any) -> simple.Predicted:
    """Train the network; torch is imported here alone."""
    from .small_cnn import fit_genomic_benchmarks_cnn

    return fit_genomic_benchmarks_cnn(data, **settings)


def _seed(data: FittingData) -> int:
    return int(data.settings["seed"])


FITS = {
    **{name: fit_of(simple.PREDICTORS[name]) for name in ("length_only", "gc_only", "cpg_only", "n_fraction")},
    "majority": fit_of(simple.PREDICTORS["majority"], reads_bases=False),
    "kmer_logistic": fit_of(
        simple.fit_kmers,
        lambda data: {
            "k": several(data.baseline.k),
            "c": several(data.baseline.c),
            "both_strands": data.baseline.both_strands,
            "seed": _seed(data),
        },
    ),
    "kmers": fit_of(
        simple.fit_kmers,
        lambda data: {
            "k": several(data.baseline.k),
            "both_strands": data.baseline.both_strands,
            "seed": _seed(data),
        },
    ),
    "position_logistic": fit_of(
        simple.fit_positions, lambda data: {"c": several(data.baseline.c), "seed": _seed(data)}
    ),
    "kmer_ridge": fit_of(
        simple.fit_kmers,
        lambda data: {
            "k": several(data.baseline.k),
            "alpha": several(data.baseline.alpha),
            "both_strands": data.baseline.both_strands,
        },
    ),
    "position_ridge": fit_of(simple.fit_positions, lambda data: {"alpha": several(data.baseline.alpha)}),
    "nearest_training": fit_of(
        fit_nearest_training, lambda data: {"share": data.baseline.share, "cores": data.cores}, False
    ),
    "gkm_svm": fit_of(fit_gkm_svm, lambda data: data.baseline.model_dump(include={"length", "k", "mismatches", "c"})),
    "genomic_benchmarks_cnn": fit_of(
        network,
        lambda data: {
            "epochs": data.baseline.epochs,
            "learning_rate": data.baseline.learning_rate,
            "seed": _seed(data),
        },
    ),
}
