"""Generated answers scored as the originals score them, faults included, to be reported beside our own scores.

Facts of the code of Genos (BGI-HangzhouAI/Genos@1f8a441) and of BioReason (bowang-lab/BioReason@2e298be). A right answer is
any text that contains the truth; a wrong one keeps its end marker and so is no class, which makes precision 1.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pandas as pd

from .answer_metrics import macro

COLUMNS = [
    "batch_idx",
    "example_idx",
    "user_input",
    "generation",
    "ground_truth",
    "pred_label",
    "contains_ground_truth",
]
SEPARATOR = "$"
END = "<<im_end>>"
"""The end marker that the original looks for; a tokenizer writes another one."""


def official_rows(
    generations: Sequence[str], truths: Sequence[str], inputs: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the table that the original writes: what was generated, the truth, and the label that is made of both.

    The truth is what stands before a semicolon; the label is the truth where the text contains it in any case, else the
    whole text in lower case.
    """
    short = [truth.split(";")[0] for truth in truths]
    contains = [truth.lower() in text.lower() for truth, text in zip(short, generations)]
    return pd.DataFrame({
        "batch_idx": range(len(short)),
        "example_idx": 0,
        "user_input": ["q"] * len(short) if inputs is None else list(inputs),
        "generation": list(generations),
        "ground_truth": short,
        "pred_label": [truth if own else text.lower() for own, truth, text in zip(contains, short, generations)],
        "contains_ground_truth": contains,
    })[COLUMNS]  # fmt: skip


def official_csv(rows: pd.DataFrame) -> str:
    """Return the table as the original writes it: fields between dollar signs."""
    return rows.to_csv(sep=SEPARATOR, index=False, lineterminator="\n")


def official_labels(text: str) -> tuple[list[str], list[str | None]]:
    """Return truths and labels as they are read back: of a label that begins to think, what follows `answer:`."""
    rows = pd.read_csv(io.StringIO(text), sep=SEPARATOR, dtype=str)
    labels = [None if pd.isna(label) else str(label) for label in rows["pred_label"]]
    corrected = [answer_line(label) if label and label.startswith("<think>") else label for label in labels]
    return rows["ground_truth"].astype(str).tolist(), corrected


def answer_line(text: str | None) -> str | None:
    """Return what follows `answer:` in the first line that has it, up to the end marker; None without one."""
    if text is None:
        return None
    line = next((line for line in text.split("\n") if "answer:" in line), None)
    if line is None:
        return None
    return line.split("answer:", 1)[1].split(END)[0].strip() or None


def official_scores(text: str) -> dict[str, Any]:
    """Return accuracy and macro precision, recall and F1 over the sorted truths, a class never predicted being precise."""
    truths, labels = official_labels(text)
    read = ["" if label is None else label for label in labels]
    precision, recall, f1 = macro(truths, read, sorted(set(truths)), 1)
    right = sum(truth == label for truth, label in zip(truths, read))
    return {
        "pred_label_after_correction": labels,
        "accuracy": right / len(truths) if truths else float("nan"),
        "macro_precision": precision,
        "macro_recall": recall,
        "macro_f1": f1,
    }


def two_label_counts(
    generations: Sequence[str], truths: Sequence[str], positive: str = "pathogenic"
) -> dict[str, float]:
    """Return BioReason's counts for two labels: a text that contains the truth is right, however much else it says."""
    counts = dict.fromkeys(("tp", "tn", "fp", "fn"), 0)
    for text, truth in zip(generations, truths):
        short = truth.split(";")[0].strip().lower()
        right, is_positive = short in text.lower(), short == positive
        counts[("tp" if right else "fn") if is_positive else ("tn" if right else "fp")] += 1
    tp, tn, fp, fn = counts.values()
    precision, recall = (tp / (tp + own) if tp + own else 0.0 for own in (fp, fn))
    both = precision + recall
    return {
        **counts,
        "accuracy": (tp + tn) / max(1, sum(counts.values())),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / both if both else 0.0,
    }
