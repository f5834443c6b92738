"""What is known of a metric from its name: what it is computed over, which way is better, how it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .personal_metrics import WORDS


@dataclass(frozen=True)
class Level:
    """What a metric is computed over."""

    title: str
    phrase: str
    explanation: str


LEVELS = {
    "base": Level(
        "Per base, pooled",
        "per base, pooled",
        "All bases of the split are one sample, so getting the level of a window right counts as skill.",
    ),
    "window": Level(
        "Per base, window by window",
        "per base within windows",
        "Computed inside each window, then averaged over windows: only the shape within a window counts.",
    ),
    "gene": Level("Per gene", "across genes", "Mean signal over the gene's interval, compared across genes."),
    "gene_exon": Level(
        "Per gene, exons only",
        "across genes (exons)",
        "Mean signal over the gene's exons, compared across genes.",
    ),
    "fold_change": Level(
        "Fold change between biosamples",
        "of fold changes across genes",
        "Does the model know in which of two biosamples a gene is higher? Predicting the same for both scores 0.",
    ),
    "gene_deviation": Level(
        "Genes that are far off",
        "genes far off",
        "Genes left after each filter, as published: observed and predicted signals are standardised, each by its own mean "
        "and spread. That hides a prediction which is nearly the same for every gene: it has few genes far off, so that "
        "fewer is not better, and runs are not ranked by it. No replicates and no test are in it.",
    ),
    "cross_individual": Level(
        "Between people, gene by gene",
        "between people within genes",
        "Computed for each gene over people, then averaged over genes; a gene whose prediction is the same for everyone "
        "counts as 0. This alone says whether people are told apart.",
    ),
    "cross_gene": Level(
        "Between genes, person by person",
        "between genes within people",
        "Computed for each person over genes, then averaged over people; gene means alone score high.",
    ),
    "gene_mean": Level(
        "Gene means",
        "of gene means",
        "Each gene's expression, mean over people, compared across genes: says nothing of who differs.",
    ),
    "demeaned": Level(
        "Deviations from gene means",
        "of deviations from gene means",
        "Every gene's mean is taken off both sides, so that only differences between people are left.",
    ),
    "causal": Level(
        "Which variants act",
        "of variants within genes",
        "Predicted effects of the variants in each gene's window against those of the simulation.",
    ),
    "elastic_net": Level(
        "Agreement with the elastic net",
        "of variants within genes, against the elastic net",
        "Predicted effects of the variants in each gene's window against the elastic net's.",
    ),
    "example": Level("Per example", "per example", "One value an example of the task."),
}

HEADLINES = (
    "base_log1p_pearson", "base_pearson", "cross_individual_pearson", "gene_log1p_pearson", "gene_pearson",
    "pearson", "spearman", "auroc", "mcc", "accuracy",
)  # fmt: skip

OTHER_LEVELS = ("gene_log1p_pearson", "fold_change_pearson")
"""What a lead per base has to be held against."""

_LOWER_IS_BETTER = (
    "mse",
    "mae",
    "rmse",
    "loss",
    "error",
    "perplexity",
    "nll",
    "brier",
    "fourfold",
    "significant",
)
_COUNTS = ("tested", "expressed", "fourfold", "significant", "count")
_NO_SCORE = (
    *_COUNTS,
    "ratio",
    "limit",
    "permuted",
    "p",
    "sd",
    "chance",
)  # says something of the data, so no run is best at it
_ORDER = (
    "log1p_pearson", "pearson", "spearman", "r2", "auroc", "auprc", "mcc", "accuracy", "mse", "rmse", "mae", *_COUNTS,
)  # fmt: skip
_WORDS = {
    "mse": "MSE",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "mcc": "MCC",
    "pearson": "Pearson r",
    "spearman": "Spearman ρ",
    "log1p": "log1p",
    "fourfold": "more than fourfold off",
    "significant": "expressed, fourfold off",
}


@dataclass(frozen=True)
class Metric:
    """A metric as it is shown."""

    name: str
    label: str
    level: str
    higher_is_better: bool
    is_count: bool
    is_score: bool
    explanation: str = ""

    @property
    def title(self) -> str:
        """Label and level, as they stand in a sentence."""
        return f"{self.label} {LEVELS[self.level].phrase}"


def describe(name: str) -> Metric:
    """Read a metric's level and direction off its name.

    The level stands first (`base_pearson`, `window_pearson`, `gene_pearson`); what has none is per example.
    """
    level = next((level for level in sorted(LEVELS, key=len, reverse=True) if name.startswith(f"{level}_")), "example")
    rest = name.removeprefix(f"{level}_")
    words = [_WORDS.get(word, word) for word in rest.split("_")]
    known = WORDS.get(name)
    label = known.label if known else " ".join(words)
    last = rest.split("_")[-1]
    return Metric(
        name,
        label,
        level,
        last not in _LOWER_IS_BETTER,
        last in _COUNTS,
        last not in _NO_SCORE,
        known.explanation if known else "",
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Sort metrics for reading: by level, and within it the usual ones first, then as they are explained."""
    explained = list(WORDS)

    def place(name: str) -> tuple[int, int, int, str]:
        level = describe(name).level
        rest = name.removeprefix(f"{level}_")
        usual = _ORDER.index(rest) if rest in _ORDER else len(_ORDER)
        return list(LEVELS).index(level), usual, explained.index(name) if name in WORDS else len(explained), name

    return sorted(names, key=place)


def number(value: float | None, *, is_count: bool = False) -> str:
    """Write a number for reading: three decimals, fewer where it is large, `–` where there is none."""
    if value is None or value != value:
        return "–"
    if value < 0:
        return f"−{number(-value, is_count=is_count)}"
    if is_count:
        return f"{value:,.0f}"
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if 0 < value < 0.001:
        return f"{value:.1e}"
    return f"{value:.3f}"
