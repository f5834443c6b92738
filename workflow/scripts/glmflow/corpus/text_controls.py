"""Texts that DNA is scored behind, its own and controls, and what the DNA costs behind each.

A text saves bits for many reasons: it names the organism, it has the words that such sequences go with, or it says what this
sequence is. Controls part them: the organism alone, the own words out of order, and the text of another feature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.statistics.saved_bits import rank_of_first

from .annotation_pairs import OF_RECORD, structured

TEXTS = {
    "none": "",
    "own": "own text",
    "organism": "organism alone",
    "shuffled": "own words shuffled",
    "other": "text of another feature",
}
"""What DNA is scored behind: its key in names of columns and metrics, and its name for reading."""
BEFORE = {key: "text" if key == "own" else f"text_{key}" for key in TEXTS if key != "none"}
"""Columns of the texts of a table of features."""
CHUNK = 32
"""Features whose costs are kept together: a computation that was stopped goes on behind them."""

Costs = Callable[[Sequence[tuple[str, str]]], NDArray[np.float64]]
"""From texts (empty: none) and DNA to what each DNA costs behind its text, in nats."""
Keep = Callable[[int, Callable[[], Sequence[pd.DataFrame]]], Sequence[pd.DataFrame]]
"""Tables of a part: as they were kept by its number, or made now."""


def asked_features(pairs: Sequence[Mapping[str, Any]], seed: int, bases: int | None = None) -> pd.DataFrame:
    """Return what is asked of pairs (text to DNA): a row a feature, with its own text and the controls.

    Another feature is one of another cluster that is described otherwise (a text that many have, such as "hypothetical protein",
    is no control of itself), of the same organism and kind where there is one. Words of a text are what stands between blanks and
    marks of tags: tags stay where they are.

    Parameters
    ----------
    bases
        Bases of the beginning of the DNA that are scored at most; all where None.

    Returns
    -------
    DataFrame
        `example` (names that occur twice are numbered), `group` (cluster), `subset` (kind of feature), `species`, `sequence`,
        and the texts (`BEFORE`).

    Raises
    ------
    InputError
        All pairs are of one cluster, so that no other text is at hand.
    """
    if len({pair["cluster"] for pair in pairs}) < 2:
        raise InputError("all pairs are of one cluster: no text of another feature", fix="Give more pairs.")
    rng, rows, seen = np.random.default_rng(seed), [], set()
    for number, pair in enumerate(pairs):
        tags = pair["tags"]
        others = [one for one in pairs if one["cluster"] != pair["cluster"]]
        others = [one for one in others if one["tags"] != tags] or others
        for name in ("species", "type"):
            closer = [one for one in others if one["tags"].get(name) == tags.get(name)]
            others = closer or others
        other = others[rng.integers(len(others))]
        organism = {name: value for name, value in tags.items() if name in OF_RECORD}
        words = " ".join(value for name, value in tags.items() if name not in OF_RECORD).split()
        order = iter(rng.permutation(words).tolist())
        mixed = {
            name: value if name in OF_RECORD else " ".join(next(order) for _ in value.split())
            for name, value in tags.items()
        }
        example = pair["id"] if pair["id"] not in seen else f"{pair['id']}/{number}"
        seen.add(example)
        row = {"example": example, "group": str(pair["cluster"]), "subset": pair.get("type", "")}
        row |= {"species": tags.get("species", ""), "sequence": pair["target"][:bases]}
        texts = map(structured, (tags, organism, mixed, other["tags"]))
        rows.append(row | dict(zip(BEFORE.values(), texts)))
    return pd.DataFrame(rows)


def among(features: pd.DataFrame, candidates: int, most: int, seed: int) -> pd.Series:
    """Return the features whose texts the true one of a feature is looked for among, as lines of names, its own first.

    Each stands for one text. Of features that are not asked there is None.

    Parameters
    ----------
    features
        As `asked_features` returns them.
    candidates
        Texts in all, as many as there are at most.
    most
        Features that are asked at most, drawn by `seed`.

    Raises
    ------
    InputError
        All texts are the same.
    """
    rng, found = np.random.default_rng(seed), pd.Series(None, features.index, dtype=object)
    first = features.drop_duplicates("text").set_index("text")["example"]
    if len(first) < 2:
        raise InputError("all texts are the same: there is nothing to choose from", fix="Give more pairs.")
    for at in features.index[rng.permutation(len(features))[:most]]:
        own = features.at[at, "text"]
        others = [first[text] for text in rng.permutation(first.index.to_numpy()) if text != own]
        found[at] = "\n".join([features.at[at, "example"], *others[: candidates - 1]])
    return found


def costs_behind_texts(features: pd.DataFrame, costs: Costs, keep: Keep | None = None) -> pd.DataFrame:
    """Return what the DNA of features costs behind each text, and which rank its own one has among others.

    Parameters
    ----------
    features
        As `asked_features` returns them, with `among`.

    Returns
    -------
    DataFrame
        `example`, `prediction_none` and so on (nats, a column a key of `TEXTS`), `bases`, `rank` (from 1; ties share theirs),
        `first` (1, or the share of a tie) and `candidates`, not a number where no text was looked for.
    """
    text_of = features.set_index("example")["text"].to_dict()

    def made(own: pd.DataFrame) -> list[pd.DataFrame]:
        columns = [own[BEFORE[key]] if key in BEFORE else pd.Series("", own.index) for key in TEXTS]
        flat = [(text, dna) for *texts, dna in zip(*columns, own["sequence"]) for text in texts]
        nats = costs(flat).reshape(len(own), len(TEXTS))
        table = pd.DataFrame(nats, columns=[f"prediction_{key}" for key in TEXTS])
        table.insert(0, "example", own["example"].to_numpy())
        lists = [
            [text_of[name] for name in names.split("\n")] if isinstance(names, str) else [] for names in own["among"]
        ]
        asked = [[(text, dna) for text in texts] for texts, dna in zip(lists, own["sequence"])]
        ranks = np.array([rank_of_first(costs(one)) if one else (np.nan, np.nan) for one in asked])
        counts = [float(len(one)) if one else np.nan for one in asked]
        return [
            table.assign(
                bases=own["sequence"].str.len().to_numpy(), rank=ranks[:, 0], first=ranks[:, 1], candidates=counts
            )
        ]

    tables = []
    for number, start in enumerate(range(0, len(features), CHUNK)):
        own = features.iloc[start : start + CHUNK]
        tables += keep(number, lambda own=own: made(own)) if keep else made(own)
    return pd.concat(tables, ignore_index=True)
