"""What the report says of tasks that ask for a class, labels or values: metrics in their order, and the page."""

from __future__ import annotations

from glmflow.metrics import declared
from glmflow.report.classes.class_page import class_page
from glmflow.report.study_tables import Study
from glmflow.report.wording import Level, Words

HEADLINE = ("mcc", "accuracy", "auroc", "pearson")
LEVELS = {"example": Level("Per example", "", "Over the examples of the split.", "examples")}
TARGETS = ("class_label", "label_set", "measured_values", "class_pair")
_ORDER = ("mcc", "accuracy", "balanced_accuracy", "f1_macro", "f1", "auroc", "auprc", "pearson", "spearman", "r2")
_FOUND = {name: one for target in TARGETS for name, one in declared(target).items()}
METRICS = {
    name: Words(_FOUND[name].LABEL, _FOUND[name].DIRECTION, "example", _FOUND[name].EXPLANATION)
    for name in sorted(_FOUND, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
}


def page(study: Study, task: str) -> str:
    """Return the page of a task: runs over a band of baselines, classes one by one, what is taken for what."""
    return class_page(study, task, "labelled.html")
