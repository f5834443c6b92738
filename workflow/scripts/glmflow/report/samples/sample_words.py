"""Levels and metrics of targets of genes in samples: what they are called, which direction is better, what they mean."""

from __future__ import annotations

from glmflow.report.wording import Level, Words

LEVELS = {
    "cross_individual": Level(
        "Between samples, gene by gene",
        "between samples within genes",
        "Computed for each gene over samples, then averaged over genes; a gene with the same prediction for every sample counts as "
        "0. Only this level shows whether differences between samples are predicted.",
        "genes",
    ),
    "demeaned": Level(
        "Deviations from gene means",
        "of deviations from gene means",
        "The mean of each gene is subtracted from targets and predictions, so that only differences between samples are left.",
        "pairs of gene and sample",
    ),
    "cross_gene": Level(
        "Between genes, sample by sample",
        "between genes within samples",
        "Computed for each sample over genes, then averaged over samples; gene means alone score high.",
        "genes",
    ),
    "gene_mean": Level(
        "Gene means",
        "of gene means",
        "The mean of each gene over samples, compared across genes: says nothing about differences between samples.",
        "genes",
    ),
    "pair": Level(
        "All pairs of gene and sample",
        "over pairs of gene and sample",
        "Pairs are pooled; nearly all of the variance is between genes.",
        "pairs of gene and sample",
    ),
    "causal": Level(
        "Variants that act",
        "of variants within genes",
        "Predicted effects of the variants in each gene's window against those of the simulation.",
        "genes",
    ),
    "elastic_net": Level(
        "Agreement with the elastic net",
        "of variants within genes, against the elastic net",
        "Predicted effects of the variants in each gene's window against the elastic net's. Agreement is not truth, so runs are "
        "not ranked by it.",
        "genes",
    ),
}

METRICS = {
    "cross_individual_pearson": Words(
        "Pearson r",
        "higher",
        "cross_individual",
        "The score of the task: mean over genes (n) of each gene's correlation between samples; 0 for a gene with the same "
        "prediction for every sample. 1 is best, 0 is chance.",
    ),
    "cross_individual_spearman": Words(
        "Spearman ρ",
        "higher",
        "cross_individual",
        "The same with ranks of samples: mean over genes (n). 1 is best, 0 is chance.",
    ),
    "cross_individual_of_ceiling": Words(
        "Pearson r as share of the ceiling",
        "higher",
        "cross_individual",
        "Mean r over genes (n) divided by their mean ceiling: 1 is all that genotypes allow, 0 is chance; with few samples it may "
        "be above 1.",
    ),
    "cross_individual_ceiling_limit": Words(
        "ceiling",
        "none",
        "cross_individual",
        "Mean over genes (n) of the correlation of the simulated genetic part with the measured target, in test samples: the most "
        "that genotypes allow. Known of a simulation alone. A fact of the data, equal for every run.",
    ),
    "cross_individual_of_sqrt_h2": Words(
        "Pearson r as share of √h²",
        "higher",
        "cross_individual",
        "Mean r over genes (n) divided by their mean √h²: 1 is what an additive model of the variants in the window can reach. h² "
        "is estimated, with much noise if samples are few, so it may be above 1.",
    ),
    "cross_individual_sqrt_h2_limit": Words(
        "√h²",
        "none",
        "cross_individual",
        "Mean over genes (n) of the square root of heritability, by Haseman-Elston regression on the variants in the window, over "
        "all samples; negative estimates count as 0. A fact of the data, equal for every run.",
    ),
    "cross_individual_pearson_varying": Words(
        "Pearson r, genes that vary",
        "higher",
        "cross_individual",
        "Mean r over the genes (n) whose prediction and target vary between samples. Higher than the score, because genes without "
        "a prediction are left out.",
    ),
    "cross_individual_constant_count": Words(
        "genes predicted constant",
        "none",
        "cross_individual",
        "Genes, of n, with the same prediction for every sample; each counts as r = 0.",
        count=True,
    ),
    "cross_individual_pearson_median": Words(
        "Pearson r, median gene",
        "higher",
        "cross_individual",
        "Median over genes (n) of r: below the mean if few genes are predicted well.",
    ),
    "cross_individual_pearson_sd": Words(
        "Pearson r, spread of genes",
        "none",
        "cross_individual",
        "Standard deviation of r over genes (n): how much genes differ; neither good nor bad.",
    ),
    "cross_individual_positive_ratio": Words(
        "genes with r above 0",
        "higher",
        "cross_individual",
        "Share of genes (n) with r > 0: 1 is best, about 0.5 is chance; a constant gene counts as not above.",
    ),
    "cross_individual_right_ratio": Words(
        "genes significant, right sign",
        "higher",
        "cross_individual",
        "Share of genes (n) with r > 0 and q < 0.05 (Benjamini-Hochberg over the genes of the class). 1 is best; with few samples "
        "few genes are significant.",
    ),
    "cross_individual_wrong_ratio": Words(
        "genes significant, wrong sign",
        "lower",
        "cross_individual",
        "Share of genes (n) with r < 0 and q < 0.05: differences are predicted, but with the wrong sign. 0 is best.",
    ),
    "cross_individual_permuted": Words(
        "Pearson r, samples permuted",
        "none",
        "cross_individual",
        "Mean r after predictions were permuted between samples of the same population, all genes alike; the interval holds 95 % "
        "of the permutations (n). Near 0; higher if population structure alone gives a score.",
    ),
    "cross_individual_permutation_p": Words(
        "p of permutations",
        "none",
        "cross_individual",
        "Share of the permutations (n, and the run itself) whose mean r is at least the run's. Small is good; 1 / (n + 1) is the "
        "smallest possible.",
    ),
    "demeaned_r2": Words(
        "R²",
        "higher",
        "demeaned",
        "Over all pairs of gene and sample (n), after each gene's mean is subtracted from both: share of the differences between "
        "samples that is predicted in size too. 1 is best, 0 is a constant; below 0 differences are predicted too large or wrong.",
    ),
    "demeaned_r2_median": Words(
        "R², median gene", "higher", "demeaned", "The same within each gene, the median over genes (n)."
    ),
    "demeaned_mae": Words(
        "MAE",
        "lower",
        "demeaned",
        "Mean absolute error over pairs (n) of deviations from the gene's mean, in the unit of the targets. Lower is better.",
    ),
    "cross_gene_pearson": Words(
        "Pearson r",
        "higher",
        "cross_gene",
        "Mean over samples of each sample's correlation between genes (n genes; n samples in the official protocol). Says which "
        "genes are high, not which samples differ.",
    ),
    "cross_gene_spearman": Words("Spearman ρ", "higher", "cross_gene", "The same with ranks of genes (n)."),
    "gene_mean_pearson": Words(
        "Pearson r",
        "higher",
        "gene_mean",
        "Correlation over genes (n) of mean observed and mean predicted target over the samples of the class.",
    ),
    "r2": Words(
        "R²",
        "higher",
        "pair",
        "Over all pairs of gene and sample (n). Nearly all of it is between genes; it says nothing about differences between "
        "samples.",
    ),
    "mae": Words(
        "MAE",
        "lower",
        "pair",
        "Mean absolute error over pairs of gene and sample (n), in the unit of the targets. Lower is better.",
    ),
    "causal_first_ratio": Words(
        "true variant first",
        "higher",
        "causal",
        "Share of genes (n: those with an acting variant among the common ones) in which the variant of largest true effect is "
        "ranked first. 1 is best; compare with chance. Ties do not count.",
    ),
    "causal_first_chance_ratio": Words(
        "true variant first, by chance",
        "none",
        "causal",
        "Mean over genes (n) of 1 / number of common variants in the window.",
    ),
    "causal_sign_ratio": Words(
        "true variant, right sign",
        "higher",
        "causal",
        "Share of genes (n) in which that variant's effect has the right sign. 1 is best, 0.5 is chance.",
    ),
    "causal_average_precision": Words(
        "AUPRC",
        "higher",
        "causal",
        "Area under the precision-recall curve of finding the variants that act among all in a gene's window, mean over genes (n). "
        "1 is best; compare with chance.",
    ),
    "causal_average_precision_chance": Words(
        "AUPRC, by chance",
        "none",
        "causal",
        "What a random order of the common variants is expected to have, mean over genes (n): more than the share that acts.",
    ),
    "elastic_net_top_ratio": Words(
        "same variant first",
        "none",
        "elastic_net",
        "Share of genes (n: those in which the elastic net uses a variant) in which run and elastic net rank the same variant "
        "first. Agreement, not truth.",
    ),
    "elastic_net_top_chance_ratio": Words(
        "same variant first, by chance",
        "none",
        "elastic_net",
        "Mean over genes (n) of 1 / number of common variants in the window.",
    ),
    "elastic_net_effects_spearman": Words(
        "Spearman ρ of effects",
        "none",
        "elastic_net",
        "Rank correlation of the sizes of the two models' contributions of variants, mean over genes (n). Agreement, not truth.",
    ),
}

LOGGED = {
    "seen_pearson": Words("Pearson r between samples, genes seen in training", "higher", "cross_individual"),
    "unseen_pearson": Words("Pearson r between samples, unseen genes", "higher", "cross_individual"),
}
"""What training logs of the validation split."""

PROTOCOLS = (
    "Protocol “strict” is this workflow's own: every scored pair has to be predicted, and a gene with the same prediction for "
    "every sample counts as 0. Protocol “official” reproduces the hackathon's scorer with its faults: it rounds to 5 digits, "
    "puts all unseen genes into one class, and its r between samples is blank for a class in which a single gene is predicted "
    "(or measured) the same for every sample."
)
UNSCORED = (
    "For the hackathon the file to upload is scores/submission.csv of each run; hold out validation samples to "
    "judge models before the upload."
)
