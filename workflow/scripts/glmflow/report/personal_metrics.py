"""What the metrics of personal expression are called and mean, in the order of reading."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """What a metric is called, and what it means: its unit, its n, what is good."""

    label: str
    explanation: str


WORDS = {
    "cross_individual_pearson": Words(
        "Pearson r",
        "Mean over genes (n) of each gene's correlation between people; 0 for a gene predicted alike for everyone. 1 "
        "is best, 0 is chance. The score of the task.",
    ),
    "cross_individual_spearman": Words(
        "Spearman ρ",
        "The same with ranks of people: mean over genes (n); 1 is best, 0 is chance.",
    ),
    "cross_individual_of_ceiling": Words(
        "Pearson r as share of the ceiling",
        "Mean r over genes (n) divided by their mean ceiling: 1 is all that genotypes allow, 0 is chance; with few "
        "people it may pass 1.",
    ),
    "cross_individual_ceiling_limit": Words(
        "ceiling",
        "Mean over genes (n) of the correlation of the simulated genetic part with measured expression, in test "
        "people: the most that genotypes allow. Known of a simulation alone; a fact of the data, equal for every run.",
    ),
    "cross_individual_of_sqrt_h2": Words(
        "Pearson r as share of √h²",
        "Mean r over genes (n) divided by their mean √h²: 1 is what an additive model of the variants in the window "
        "can reach. h² is estimated, and noisy with few people, so that it may pass 1.",
    ),
    "cross_individual_sqrt_h2_limit": Words(
        "√h²",
        "Mean over genes (n) of the root of heritability, by Haseman-Elston regression on the variants in the window, "
        "over all people; negative estimates count as 0. A fact of the data, equal for every run.",
    ),
    "cross_individual_pearson_varying": Words(
        "Pearson r, genes that vary",
        "Mean r over the genes (n) whose prediction and expression vary between people: kinder than the score, as "
        "genes without a prediction are left out.",
    ),
    "cross_individual_constant_count": Words(
        "genes predicted constant",
        "Genes, of n, that are predicted alike for everyone; each counts as r = 0. 0 is best.",
    ),
    "cross_individual_pearson_median": Words(
        "Pearson r, median gene",
        "Median over genes (n) of r: below the mean where few genes are predicted well.",
    ),
    "cross_individual_pearson_sd": Words(
        "Pearson r, spread of genes",
        "Standard deviation of r over genes (n): how unlike the genes are; neither good nor bad.",
    ),
    "cross_individual_positive_ratio": Words(
        "genes with r above 0",
        "Share of genes (n) with r > 0: 1 is best, about 0.5 is chance; a constant gene counts as not above.",
    ),
    "cross_individual_right_ratio": Words(
        "genes significant, right sign",
        "Share of genes (n) with r > 0 and q < 0.05 (Benjamini-Hochberg over the genes of the class). 1 is best; few "
        "people find few.",
    ),
    "cross_individual_wrong_ratio": Words(
        "genes significant, wrong sign",
        "Share of genes (n) with r < 0 and q < 0.05: people are told apart, but the wrong way round. 0 is best.",
    ),
    "cross_individual_permuted": Words(
        "Pearson r, people permuted",
        "Mean r after predictions were permuted between people of the same population, all genes alike; the interval "
        "holds 95 % of the permutations (n). Near 0; higher where population structure alone gives a score.",
    ),
    "cross_individual_permutation_p": Words(
        "p of permutations",
        "Share of the permutations (n, and the run itself) whose mean r is at least the run's. Small is good; at the "
        "least 1 / (n + 1).",
    ),
    "cross_gene_pearson": Words(
        "Pearson r",
        "Mean over people of each person's correlation between genes (n genes; people in the official protocol). Says "
        "which genes are high, not who differs.",
    ),
    "cross_gene_spearman": Words(
        "Spearman ρ",
        "The same with ranks of genes (n).",
    ),
    "gene_mean_pearson": Words(
        "Pearson r",
        "Correlation over genes (n) of mean observed and mean predicted expression of the people of the class.",
    ),
    "demeaned_r2": Words(
        "R²",
        "Over all pairs of gene and person (n), each gene's mean taken off both sides: share of the differences "
        "between people that is predicted in size too. 1 is best, 0 is a constant; below 0 differences are predicted "
        "too large or wrong.",
    ),
    "demeaned_r2_median": Words(
        "R², median gene",
        "The same within each gene, the median over genes (n).",
    ),
    "demeaned_mae": Words(
        "MAE",
        "Mean absolute error over pairs (n) of deviations from the gene's mean, in the unit of the targets. Lower is "
        "better.",
    ),
    "r2": Words(
        "R²",
        "Over all pairs of gene and person (n). Nearly all of it is between genes; it says nothing of who differs.",
    ),
    "mae": Words(
        "MAE",
        "Mean absolute error over pairs of gene and person (n), in the unit of the targets. Lower is better.",
    ),
    "causal_first_ratio": Words(
        "true variant first",
        "Share of genes (n: those with an acting variant among the common ones) where the variant of largest true "
        "effect is ranked first. 1 is best; compare with chance. Ties do not count.",
    ),
    "causal_first_chance_ratio": Words(
        "true variant first, by chance",
        "Mean over genes (n) of 1 / number of common variants in the window.",
    ),
    "causal_sign_ratio": Words(
        "true variant, right sign",
        "Share of genes (n) where that variant's effect has the right sign. 1 is best, 0.5 is chance.",
    ),
    "causal_average_precision": Words(
        "AUPRC",
        "Area under the precision-recall curve of telling variants that act from the others in a gene's window, mean "
        "over genes (n). 1 is best; compare with chance.",
    ),
    "causal_average_precision_chance": Words(
        "AUPRC, by chance",
        "Share of acting variants among the common ones, mean over genes (n): what random scores reach.",
    ),
    "elastic_net_top_ratio": Words(
        "same variant first",
        "Share of genes (n: those where the elastic net uses a variant) where run and elastic net rank the same "
        "variant first. Agreement, not truth.",
    ),
    "elastic_net_top_chance_ratio": Words(
        "same variant first, by chance",
        "Mean over genes (n) of 1 / number of common variants in the window.",
    ),
    "elastic_net_effects_spearman": Words(
        "Spearman ρ of effects",
        "Rank correlation of the sizes of the two models' contributions of variants, mean over genes (n). Agreement, "
        "not truth.",
    ),
}

PROTOCOLS = (
    "Protocol “strict” is this workflow's own: every held-out pair has to be predicted, and a gene predicted "
    "alike for everyone counts as 0. Protocol “official” is the hackathon's scorer, fault for fault: it rounds to "
    "5 digits, puts all unseen genes into one class, and its r between people is blank for a class in which a "
    "single gene is predicted (or measured) alike for everyone."
)
