"""What a question's form alone answers: its template, the answers and genes that it names, lengths, N and the place of a change."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

import pandas as pd
from numpy.typing import NDArray

from glmflow.genome.allele_change import change_of

from .answer_lookups import in_turn, lookup, majority

VARYING = re.compile(r"[A-Z][A-Z0-9-]+\b|\d[\d,.]*")
"""What differs between questions of one template: names in capitals, and numbers."""


class Plain(NamedTuple):
    """A look-up by the form of a question: test rows whose form training has, and right answers, majority elsewhere."""

    name: str
    seen: int
    correct: int
    of: int
    majority: int

    @property
    def tells(self) -> bool:
        """Return whether it is right clearly more often than the most frequent answer: by two standard errors of its share."""
        error = math.sqrt(max(self.correct * (self.of - self.correct), 1) / self.of)
        return self.correct - self.majority > 2 * error


def template_of(question: str) -> str:
    """Return a question without its names and numbers."""
    return VARYING.sub("#", question)


def answers_named(questions: Iterable[str], classes: Collection[str]) -> pd.Series:
    """Return which of the answers each question names, whole words and any case; a longer answer hides those inside of it."""
    longest_first = sorted(classes, key=len, reverse=True)
    any_of = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    return pd.Series([" ".join(sorted({name.lower() for name in any_of.findall(text)})) for text in questions])


def plain_lookups(rows: pd.DataFrame, train: NDArray, test: NDArray) -> list[Plain]:
    """Return what each form answers; forms that all rows have in common are left out."""
    forms = {
        "template of the question": rows["text_question"].map(template_of),
        "length of the reference": rows["sequence_ref"].str.len(),
        "N in the alleles": rows["sequence_ref"].str.count("N") + rows["sequence_alt"].str.count("N"),
        "naming of a gene": rows["gene"].notna(),
        "answers that the question names": answers_named(rows["text_question"], set(rows["target"])),
        "kind of change": rows["kind"],
        "place of the change in the window": pd.Series(
            [change_of(*pair).start for pair in zip(rows["sequence_ref"], rows["sequence_alt"])]
        ),
    }
    learned, truths = (rows["target"].iloc[part].tolist() for part in (train, test))
    common, found = majority(learned), []
    for name, values in forms.items():
        if values.nunique() < 2:
            continue
        known, asked = (values.iloc[part].tolist() for part in (train, test))
        told = lookup(known, learned, asked)
        right = sum(map(str.__eq__, in_turn([told], common), truths))
        found.append(Plain(name, told.seen, right, len(truths), truths.count(common)))
    return found
