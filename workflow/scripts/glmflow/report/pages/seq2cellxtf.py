"""What the report says of tasks on the binding of TFs to regions in cells."""

from __future__ import annotations

from glmflow.report.bound_regions.binding_page import binding_page, key_notes, width_warning
from glmflow.report.search_index import Findable
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words

HEADLINE = ("auprc", "auroc")
LINK = "Binding"
FINDABLE = {"keys": Findable("cell and TF", "pair"), "regions": Findable("region", "example")}
PROTOCOLS = (
    "official: the hackathon's own scorer with its faults (a perfect upload does not reach 1 across samples). strict: every key "
    "and region is required, keys of one class are left out and counted."
)
LEVELS = {
    "regions": Level("Over regions", "over the regions of a key", "One value a key (cell and TF), averaged.", "keys"),
    "keys": Level("Over keys", "over the keys of a region", "Whether predictions tell cells and TFs apart.", "regions"),
    "hackathon": Level("The hackathon's scorer", "", "As the hackathon computes them.", "keys"),
    "facts": Level("Facts", "", "What there was to be found.", "keys"),
}
METRICS = {
    "auprc": Words(
        "AUPRC", "higher", "regions",
        "Average precision over the test regions of a key, averaged over keys (n) with both classes. Chance is the prevalence.",
    ),
    "auroc": Words(
        "AUROC", "higher", "regions",
        "Chance that a bound region of a key scores above another one, averaged over keys (n). Chance is 0.5. It cannot see "
        "what is the same for all regions of a key, such as the TF's expression.",
    ),
    "lift": Words(
        "lift", "higher", "regions", "(AUPRC - prevalence) / (1 - prevalence), averaged over keys (n): 0 is chance, 1 is perfect."
    ),
    "recall_fdr10": Words("recall at 10 % FDR", "higher", "regions", "Largest recall at a precision of 0.9, over keys (n)."),
    "recall_fdr50": Words("recall at 50 % FDR", "higher", "regions", "Largest recall at a precision of 0.5, over keys (n)."),
    "hard_negative_auroc": Words(
        "AUROC, hard negatives", "higher", "regions",
        "AUROC among regions that something binds in the same cell, averaged over keys (n).",
    ),
    "gc_matched_auroc": Words(
        "AUROC, GC-matched", "higher", "regions",
        "AUROC over pairs of a bound region and another one of the same GC (steps of 2 %), averaged over keys (n).",
    ),
    "f1_at_threshold": Words(
        "F1", "higher", "regions", "F1 at the threshold that is best on validation keys, averaged over keys (n)."
    ),
    "median_auprc": Words("median AUPRC", "higher", "regions", "Median over keys (n)."),
    "median_auroc": Words("median AUROC", "higher", "regions", "Median over keys (n)."),
    "log_loss": Words("log loss", "lower", "regions", "Mean negative log likelihood (nats), averaged over keys (n)."),
    "calibration_slope": Words(
        "calibration slope", "none", "regions",
        "Slope of the labels on the predicted log odds, averaged over keys (n): 1 is calibrated, below it too sure.",
    ),
    "cell_concordance": Words(
        "cell concordance", "higher", "keys",
        "Of two cells of one TF that differ at a region, how often the bound one scores higher (ties count half; n pairs). A "
        "model that is blind to cells has exactly 0.5.",
    ),
    "tf_concordance": Words(
        "TF concordance", "higher", "keys",
        "Of two TFs of one cell that differ at a region, how often the bound one scores higher (ties count half; n pairs). A "
        "model that is blind to TFs has exactly 0.5.",
    ),
    "column_auroc": Words(
        "AUROC over keys", "higher", "keys", "AUROC over the test keys of a region, averaged over regions (n) with both classes."
    ),
    "column_auprc": Words("AUPRC over keys", "higher", "keys", "The same with average precision."),
    "aurocs_cross_region": Words("AUROC, cross region", "higher", "hackathon", "What the hackathon ranks by."),
    "auprcs_cross_region": Words("AUPRC, cross region", "higher", "hackathon", "Mean average precision over keys (n)."),
    "f1_cross_region": Words("F1, cross region", "higher", "hackathon", "F1 of predictions above 0.5."),
    "aurocs_cross_sample": Words(
        "AUROC, cross sample", "higher", "hackathon",
        "Mean average precision over all regions, whatever its name says; a region that no test key binds counts 0.",
    ),
    "auprcs_cross_sample": Words("AUPRC, cross sample", "higher", "hackathon", "Mean average precision over all regions."),
    "f1_cross_sample": Words("F1, cross sample", "higher", "hackathon", "F1 of predictions above 0.5, over keys."),
    "prevalence": Words("prevalence", "none", "facts", "Share of test regions that a key binds, averaged over keys (n)."),
}  # fmt: skip
FURTHER = ("cell_concordance",)


def warnings(study: Study, tasks: list[str]) -> list[tuple[str, str]]:
    """Return what a reader has to know before any figure of the tasks."""
    found = [(task, text) for task in tasks if (text := width_warning(study, task))]
    return found + [(task, f"{note}.") for task in tasks for note in key_notes(study, task)]


def page(study: Study, task: str) -> str:
    """Return the page of a task."""
    return binding_page(study, task, "seq2cellxtf.html")
