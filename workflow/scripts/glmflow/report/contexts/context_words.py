"""Metrics of how far back models use their context: what they are called, which direction is better, what they mean."""

from __future__ import annotations

from glmflow.report.wording import Level, Words

LEVELS = {
    "recall": Level(
        "Recall of a copy",
        "",
        "What a copy of the last segment is worth by its distance (“context”), in nats per base: loss without less loss with it.",
        "windows",
    ),
    "loss": Level(
        "Loss by length",
        "of the last bases of a window",
        "The same last bases of each window, scored with more and more of what lies before them.",
        "windows",
    ),
}
METRICS = {
    "copy_advantage": Words(
        "gain from a copy",
        "higher",
        "recall",
        "Nats a base, mean over windows (n): loss of the last bases without an earlier copy of them minus loss with it. Higher is "
        "better; 0 if the copy is not used.",
    ),
    "loss": Words(
        "loss",
        "lower",
        "loss",
        "Nats a base over windows (n). Lower is better; about 1.386 is chance for equal shares of the four bases.",
    ),
}
SUBSETS = {
    "all": "all bases",
    "repeat": "bases that continue a repeat",
    "far_repeat": "repeats whose copy lies beyond the shortest context",
    "background": "background",
}
VARIANTS = {"exact": "exact copy", "mutated": "mutated copy", "reverse_complement": "copy on the other strand"}
TUNED, ZERO_SHOT = "tuned", "zero-shot"
UNCHANGED = ("none", "as it is")
"""Methods that leave a model as it is."""
CLEAR = 0.05
"""p-value of a paired test below which a difference is called clear."""
