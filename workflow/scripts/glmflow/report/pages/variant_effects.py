"""What the report says of tasks that rank alleles by what models make of them."""

from __future__ import annotations

from glmflow.report.alleles.allele_page import allele_page, cautions
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words

HEADLINE = ("pairwise", "auroc_mean_consequence", "auroc", "spearman_mean_element", "spearman")
LINK = "Variants"
PROTOCOLS = (
    "official: what TraitGym computes: alleles without a score take the mean, the first of equal scores wins, and chromosomes "
    "weigh by their alleles. strict: alleles without a score are left out and counted, equal scores share."
)
LEVELS = {
    "matched": Level("Within matched groups", "within matched groups", "Of one positive and its controls.", "groups"),
    "consequence": Level(
        "Within consequences", "", "Alleles of one consequence are compared with each other.", "consequences"
    ),
    "chromosome": Level("Within chromosomes", "", "One value a chromosome, averaged.", "chromosomes"),
    "element": Level("Within elements", "", "One value an element, averaged.", "elements"),
    "pooled": Level(
        "Pooled", "over all alleles", "All alleles are compared with each other, whatever their consequence.", "alleles"
    ),
    "ceiling": Level("Ceiling", "", "What labels could make of the model's states; no zero-shot score.", "alleles"),
    "facts": Level("Facts", "", "What there was to be ranked, and what got no score.", "alleles"),
}
METRICS = {
    "pairwise": Words(
        "pairwise accuracy", "higher", "matched",
        "Share of the controls of a positive that score lower than it (ties count half), averaged over groups (n). Chance is 0.5.",
    ),
    "top1": Words(
        "top-1 accuracy", "higher", "matched",
        "Share of the groups (n) whose positive has the highest score; equal scores share. Chance is 1 over the size of a group.",
    ),
    "auroc_mean_consequence": Words(
        "AUROC, mean over consequences", "higher", "consequence",
        "AUROC within each consequence with enough alleles of both classes, averaged (n consequences). Chance is 0.5; a rank of "
        "the consequence alone has 0.5.",
    ),
    "auprc_by_chrom": Words(
        "AUPRC by chromosome", "higher", "chromosome",
        "Average precision within chromosomes (n) that have both classes, weighted by their positives. Chance is the base "
        "rate, and more where chromosomes have few alleles.",
    ),
    "spearman_mean_element": Words(
        "Spearman, mean over elements", "higher", "element",
        "Spearman correlation with the measured effect within each element (n), averaged. Chance is 0.",
    ),
    "spearman_pooled_ranks": Words(
        "Spearman of ranks within elements", "higher", "element",
        "Spearman correlation of ranks that are taken within each element, over all alleles (n). Chance is 0.",
    ),
    "auroc": Words(
        "AUROC", "higher", "pooled",
        "Chance that a positive scores above a negative, over all alleles with a score (n). Chance is 0.5. Where alleles have "
        "consequences, it measures the consequence too.",
    ),
    "auprc": Words(
        "AUPRC", "higher", "pooled",
        "Average precision over all alleles with a score (n). Chance is the base rate, and more where alleles are few.",
    ),
    "auroc_missing_last": Words(
        "AUROC, missing last", "higher", "pooled",
        "AUROC over all alleles (n), those without a score ranked last, so that coverage counts.",
    ),
    "auprc_missing_last": Words(
        "AUPRC, missing last", "higher", "pooled",
        "Average precision over all alleles (n), those without a score ranked last, so that coverage counts.",
    ),
    "spearman": Words(
        "Spearman", "higher", "pooled",
        "Spearman correlation of the score with the measured effect, over all alleles with a score (n). Chance is 0.",
    ),
    "ceiling_auroc_mean_consequence": Words(
        "ceiling: AUROC, mean over consequences", "higher", "ceiling",
        "A logistic regression on distances of states per channel, fitted on the labels of the "
        "other chromosomes (else genes, exons, groups).",
    ),
    "ceiling_auroc": Words(
        "ceiling: AUROC", "higher", "ceiling",
        "A logistic regression on distances of states per channel, fitted on the labels of the "
        "other chromosomes (else genes, exons, groups).",
    ),
    "ceiling_auprc": Words(
        "ceiling: AUPRC", "higher", "ceiling",
        "A logistic regression on distances of states per channel, fitted on the labels of the "
        "other chromosomes (else genes, exons, groups).",
    ),
    "strand_pearson": Words(
        "correlation of strands", "none", "facts",
        "Pearson correlation of the score on both strands (n alleles). Below 0.5 a model is undertrained, or misread.",
    ),
    "base_rate": Words("base rate", "none", "facts", "Share of positives among alleles with a score (n)."),
    "n_pos": Words("positives", "none", "facts", "Positives among alleles with a score (n).", count=True),
    "n_without_score": Words(
        "without a score", "none", "facts", "Alleles (of n) that a reason keeps from a score.", count=True
    ),
    "chromosomes_without_both_classes": Words(
        "chromosomes of one class", "none", "facts", "Chromosomes (of n) that lack positives or negatives.", count=True
    ),
}  # fmt: skip
FURTHER = ("auroc",)


def warnings(study: Study, tasks: list[str]) -> list[tuple[str, str]]:
    """Return what a reader has to know before any figure of the tasks."""
    return [(task, text) for task in tasks for text in cautions(study, task)]


def page(study: Study, task: str) -> str:
    """Return the page of a task."""
    return allele_page(study, task, "variant_effects.html")
