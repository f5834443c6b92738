"""Share of pairs of a sequence and its control in which the sequence gets the higher score."""

from __future__ import annotations

from numpy.typing import NDArray

NAME = "paired_accuracy"
LABEL = "paired accuracy"
DIRECTION = "higher"
BOUNDS = (0, 1)
EXPLANATION = (
    "Share of pairs (n), one sequence of each of two classes such as an element and its own shuffled control, in which the one "
    "of the second class gets the higher score for it. 1 is best, 0.5 is chance; equal scores count as wrong, so that what cannot "
    "tell the two apart (GC content, of a shuffled control) has 0."
)
TARGETS = ("class_pair",)


def value(truth: NDArray, scores: NDArray) -> float:
    """Return the share, from 0 to 1; NaN without a pair.

    As DART-Eval has it (Patel et al. 2024, arXiv:2412.05430, task 1): a model is asked which of the two is real.

    Parameters
    ----------
    truth
        Which of the two is of the second class, `int[n]`.
    scores
        Scores of the two for the second class, `float[n, 2]`.
    """
    if not len(scores):
        return float("nan")
    first, second = scores.T
    return float((((second > first) & (truth == 1)) | ((first > second) & (truth == 0))).mean())
