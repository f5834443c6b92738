"""What single answers rest on: gradient times input of each base, and every base next to the change replaced by another."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.models.interface import Tokens

from ..parts import Parts
from ..stream import to_device
from .allele_controls import Asking
from .allele_views import Alleles
from .question_items import collate

CASES = 12
"""Questions that are looked at: half of them wrong answers, the surest first, and right ones, the least sure first."""
NEAR = 16
"""Bases on each side of the change whose part in an answer is reported."""
SCANNED = 8
"""Bases on each side of it that are replaced."""
LETTERS = "ACGT"
FIRST_WAY = 1000
"""Number of this way of asking among the parts that are kept; controls have smaller ones."""


class Case(NamedTuple):
    """A question, the answer that is ranked first and the one that is second: their distance is what is explained."""

    place: int
    first: int
    second: int


def cases_of(logs: NDArray[np.float64], truth: NDArray[np.int64], places: NDArray[np.int64]) -> list[Case]:
    """Return the questions that are looked at.

    Parameters
    ----------
    logs : float64[n, classes]
        Log probabilities of the answers to all questions.
    truth : int64[n]
    places
        Of the test questions among them.
    """
    order = np.argsort(-logs, axis=1, kind="stable")[:, :2]
    margin = logs[np.arange(len(logs)), order[:, 0]] - logs[np.arange(len(logs)), order[:, 1]]
    right = order[:, 0] == truth
    wrong = sorted((place for place in places if not right[place]), key=lambda place: -margin[place])[: CASES // 2]
    sure = sorted((place for place in places if right[place]), key=lambda place: margin[place])[: CASES - len(wrong)]
    return [Case(int(place), *map(int, order[place])) for place in [*wrong, *sure]]


def attributions(asking: Asking, cases: list[Case]) -> pd.DataFrame:
    """Return how much each base next to the change speaks for the first answer and against the second.

    Gradient of the difference of both log probabilities times the state of a base, through the bridge, the sum over the
    channels of its state (Simonyan et al. 2013; Shrikumar et al. 2017): `example`, `answer`, `against`, `allele` (ref or alt),
    `offset` (from the first base of the change), `base`, `value`.
    """
    rows = []
    for case in cases:
        view = asking.own()[case.place]
        values = _values(asking, view, case)
        for name, allele, own in zip(("ref", "alt"), (view.ref, view.alt), values):
            for place in range(max(0, view.start - NEAR), min(len(allele), view.start + NEAR + 1)):
                rows.append({
                    "example": asking.examples["example"].iloc[case.place],
                    "answer": asking.classes[case.first],
                    "against": asking.classes[case.second],
                    "allele": name,
                    "offset": place - view.start,
                    "base": allele[place],
                    "value": float(own[place]),
                })  # fmt: skip
    return pd.DataFrame(rows)


def _values(asking: Asking, view: Alleles, case: Case) -> list[NDArray[np.float32]]:
    """Return the part of each base of both alleles."""
    head, tokenize = asking.head, partial(asking.model.adapter.tokenize, chunk=True)
    item = asking.items(case.place, None) | {"view": view}
    batch = to_device(collate([item], tokenize, both_strands=head.both_strands), asking.model.device)
    features = asking.model.features(Tokens(*(batch.get(name) for name in Tokens._fields))).float()
    features = features.detach().requires_grad_()
    vectors = head.vectors(features[..., :-1], features[..., -1] > 0, batch["change"])
    logs = head.ranked(vectors, batch["prompt_ids"])
    (slope,) = torch.autograd.grad(logs[0, case.first] - logs[0, case.second], features)
    values = (features * slope)[..., :-1].sum(-1).detach().cpu().numpy()
    found = [values[row, : len(allele)] for row, allele in enumerate((view.ref, view.alt))]
    if head.both_strands:
        found = [own + values[row + 2, : len(own)][::-1] for row, own in enumerate(found)]
    return found


def replaced(view: Alleles) -> list[tuple[int, str, Alleles]]:
    """Return every replacement of one base next to the change: its offset, the new base and the pair.

    A base of the flanks is replaced in both alleles; the changed base of a substitution in the variant alone.
    """
    found = []
    for offset in range(-SCANNED, SCANNED + 1):
        if offset < 0:
            place, other = view.start + offset, view.start + offset
        elif offset > 0:
            place, other = view.ref_end + offset - 1, view.alt_end + offset - 1
        else:
            if view.alt_end != view.start + 1 or view.ref_end != view.start + 1:
                continue
            for base in LETTERS:
                if base not in (view.ref[view.start], view.alt[view.start]):
                    found.append((0, base, view._replace(alt=_with(view.alt, view.start, base))))
            continue
        if place < 0 or place >= len(view.ref) or other >= len(view.alt):
            continue
        for base in LETTERS:
            if base != view.ref[place]:
                pair = view._replace(ref=_with(view.ref, place, base), alt=_with(view.alt, other, base))
                found.append((offset, base, pair))
    return found


def _with(sequence: str, place: int, base: str) -> str:
    return sequence[:place] + base + sequence[place + 1 :]


def mutation_scan(asking: Asking, cases: list[Case], logs: NDArray[np.float64], parts: Parts) -> pd.DataFrame:
    """Return what each replacement next to the change does to the lead of the first answer over the second (nats).

    `example`, `offset`, `base`, `change` (of the difference of both log probabilities).
    """
    tried = [(case, *one) for case in cases for one in replaced(asking.own()[case.place])]
    if not tried:
        return pd.DataFrame(columns=["example", "offset", "base", "change"])
    places = np.array([case.place for case, *_ in tried])
    found = asking.ranked([pair for *_, pair in tried], parts, FIRST_WAY, places)
    rows = []
    for (case, offset, base, _), own in zip(tried, found):
        before = logs[case.place, case.first] - logs[case.place, case.second]
        change = own[case.first] - own[case.second] - before
        name = asking.examples["example"].iloc[case.place]
        rows.append({"example": name, "offset": offset, "base": base, "change": float(change)})
    return pd.DataFrame(rows)
