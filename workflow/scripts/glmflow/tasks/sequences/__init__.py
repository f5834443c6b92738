"""Kind `sequences`: the class, the labels or the measured values of a sequence."""

from glmflow.tasks import class_scores, column_scores
from glmflow.tasks.class_pairs import compare
from glmflow.tasks.redraw import relabelled as redraw

from .labelled_table import examples

__all__ = ["compare", "examples", "redraw", "score"]


def score(settings, examples, predictions, predicted, files):
    """Return the scores of a run: of classes, or of labels or values."""
    of = class_scores if "target" in examples else column_scores
    return of.score(settings, examples, predictions, predicted, files)
