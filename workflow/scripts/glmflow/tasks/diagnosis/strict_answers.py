"""The class that a generated text names, by a rule that can see a wrong answer as a wrong class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .answer_metrics import macro

OTHER, NONE = "<other>", "<none>"
"""An answer outside of the class list; no answer at all."""
END = "<|im_end|>"
ANSWER = re.compile(r"answer:", re.IGNORECASE)
AROUND = '.!"*` \t'


def normal(text: str) -> str:
    """Return an answer in lower case with single spaces and plain apostrophes, without marks around it."""
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("\N{LEFT SINGLE QUOTATION MARK}", "'")
    return " ".join(text.lower().split()).strip(AROUND)


def answer_text(generation: str) -> str | None:
    """Return what a text answers: the first line after the last `Answer:` behind its thinking; None without one."""
    parts = ANSWER.split(generation.split(END)[0].rsplit("</think>", 1)[-1])
    return parts[-1].split("\n")[0] if len(parts) > 1 else None


def strict_answers(generations: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Return the class that each text names, `<other>` where it is none of the list, `<none>` without an answer."""
    known = {normal(name): normal(name) for name in classes}
    found = []
    for text in generations:
        said = answer_text(text)
        found.append(NONE if said is None else known.get(normal(said), OTHER))
    return found


def strict_scores(generations: Sequence[str], truths: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    """Return the answers, accuracy, numbers without an answer and outside the list, and macro scores over two label sets.

    Truths are what stands before a semicolon, but where the whole is a class. A share of nothing is 0.
    """
    predicted = strict_answers(generations, classes)
    known = set(map(normal, classes))
    truths = [whole if (whole := normal(truth)) in known else normal(truth.split(";")[0]) for truth in truths]
    own = sorted(set(truths))
    every = sorted((set(truths) | set(predicted)) - {OTHER, NONE})
    names = ("precision", "recall", "f1-score")
    return {
        "predicted": predicted,
        "accuracy": sum(map(str.__eq__, truths, predicted)) / len(truths) if truths else float("nan"),
        "no_answer": predicted.count(NONE),
        "outside_list": predicted.count(OTHER),
        "macro_over_ground_truth_labels": dict(zip(names, macro(truths, predicted, own, 0))),
        "macro_over_all_predicted_labels": dict(zip(names, macro(truths, predicted, every, 0))),
    }
