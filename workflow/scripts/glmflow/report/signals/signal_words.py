"""Levels and metrics of predicted signals: what they are called, which direction is better, what they mean."""

from __future__ import annotations

from glmflow.report.wording import Level, Words

LEVELS = {
    "base": Level(
        "Per base, pooled",
        "per base, pooled",
        "All bases of the split are pooled, so predicting the mean signal of a window well counts as skill.",
        "windows",
    ),
    "window": Level(
        "Per base, window by window",
        "per base within windows",
        "Computed inside each window, then averaged over windows: only the shape within a window counts.",
        "windows",
    ),
    "bases": Level(
        "Single bases",
        "of single bases",
        "Bases without signal against bases with signal; n is the number of bases.",
        "bases",
    ),
    "gene": Level("Per gene", "across genes", "Mean signal over the gene's interval, compared across genes.", "genes"),
    "gene_exon": Level(
        "Per gene, exons only",
        "across genes (exons)",
        "Mean signal over the gene's exons, compared across genes.",
        "genes",
    ),
    "fold_change": Level(
        "Fold change between biosamples",
        "of fold changes across genes",
        "Does the model know in which of two biosamples a gene is higher? Predicting the same for both scores 0.",
        "genes",
    ),
    "gene_deviation": Level(
        "Genes that are far off",
        "genes far off",
        "Genes left after each filter, as published: observed and predicted signals are standardised, each by its own mean "
        "and spread. A prediction that is nearly the same for every gene has few genes far off, so fewer is not better and "
        "runs are not ranked by it. There are no replicates and there is no test in it.",
        "genes",
    ),
}

_BASE = "Over all bases of the split (n windows)"
_SIGNAL = "Over the bases with signal (n windows)"
_WINDOW = "Mean over windows (n) of each window's value"
_R = {
    "log1p_pearson": ("log1p Pearson r", "correlation of log(1 + signal)"),
    "pearson": ("Pearson r", "correlation of the signals; few high bases decide it"),
    "spearman": ("Spearman ρ", "correlation of the ranks"),
}


def _correlations(prefix: str, level: str, where: str, names: tuple[str, ...], suffix: str = "") -> dict[str, Words]:
    """Return the declarations of correlations at one level."""
    return {
        f"{prefix}_{name}": Words(
            _R[name][0] + suffix, "higher", level, f"{where}: {_R[name][1]}. 1 is best, 0 is chance."
        )
        for name in names
    }


METRICS = {
    **_correlations("base", "base", _BASE, ("log1p_pearson", "pearson", "spearman")),
    "base_r2": Words(
        "R²", "higher", "base", f"{_BASE}: share of the variance that is predicted. 1 is best, 0 is the mean."
    ),
    "base_mse": Words("MSE", "lower", "base", f"{_BASE}: mean squared error, in squared units of the signal."),
    "base_rmse": Words("RMSE", "lower", "base", f"{_BASE}: root of the mean squared error, in the unit of the signal."),
    "base_mae": Words("MAE", "lower", "base", f"{_BASE}: mean absolute error, in the unit of the signal."),
    **_correlations("base_nonzero", "base", _SIGNAL, ("log1p_pearson", "pearson", "spearman"), ", bases with signal"),
    "base_nonzero_mse": Words("MSE, bases with signal", "lower", "base", f"{_SIGNAL}: mean squared error."),
    "base_nonzero_mae": Words("MAE, bases with signal", "lower", "base", f"{_SIGNAL}: mean absolute error."),
    **_correlations("window", "window", _WINDOW, ("log1p_pearson", "pearson")),
    "window_mse": Words("MSE", "lower", "window", f"{_WINDOW}: mean squared error, in squared units of the signal."),
    "window_mae": Words("MAE", "lower", "window", f"{_WINDOW}: mean absolute error, in the unit of the signal."),
    "base_zero_auroc": Words(
        "AUROC, no signal",
        "higher",
        "bases",
        "Area under the ROC curve of finding bases (n) without signal. 0.5 is chance.",
    ),
    "base_zero_auprc": Words(
        "AUPRC, no signal",
        "higher",
        "bases",
        "Area under the precision-recall curve of finding bases (n) without signal; chance is their share.",
    ),
    "base_nonzero_auprc": Words(
        "AUPRC, signal",
        "higher",
        "bases",
        "Area under the precision-recall curve of finding bases (n) with signal; chance is their share.",
    ),
    "base_zero_ratio": Words(
        "share without signal",
        "none",
        "bases",
        "Share of bases (n) without signal. A fact of the data, equal for every run.",
    ),
    **_correlations("gene", "gene", "Across genes (n)", ("log1p_pearson", "pearson", "spearman")),
    **_correlations("gene_exon", "gene_exon", "Across genes (n)", ("log1p_pearson", "pearson", "spearman")),
    **_correlations(
        "fold_change", "fold_change", "log2 fold changes of genes (n) between two biosamples", ("pearson", "spearman")
    ),
    "gene_deviation_tested": Words("tested", "none", "gene_deviation", "Genes of the track.", count=True),
    "gene_deviation_expressed": Words(
        "expressed",
        "none",
        "gene_deviation",
        "Genes, of n, whose mean of both standardised signals is above 1.",
        count=True,
    ),
    "gene_deviation_fourfold": Words(
        "more than fourfold off",
        "none",
        "gene_deviation",
        "Genes, of n, whose predicted and observed standardised signals differ more than fourfold.",
        count=True,
    ),
    "gene_deviation_significant": Words(
        "expressed, fourfold off", "none", "gene_deviation", "Genes, of n, that pass both filters.", count=True
    ),
}

LOGGED = {
    "pearson": Words("Pearson r per base", "higher", "base"),
    "log1p_pearson": Words("log1p Pearson r per base", "higher", "base"),
}
"""What training logs of the validation split."""
