"""Bits of DNA that are saved by its text: what the same bases cost a model behind their text, behind none, and behind controls.

A text saves bits for many reasons: it names the organism, it has the words that such sequences go with, or it says what this
sequence is. Controls part them: the organism alone, the own words out of order, and the text of another feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.corpus.annotation_pairs import OF_RECORD, structured
from glmflow.errors import InputError
from glmflow.models.adapter import Adapter
from glmflow.models.byte_text import OVER, VOCABULARY, base_ids, require_text, shown
from glmflow.statistics.bootstrap import interval_of_mean, interval_of_sums

NATS = np.log(2)
CONTROLS = ("own text", "organism alone", "own words shuffled", "text of another feature")


class Asked(NamedTuple):
    """What is scored: DNA, the cluster it is resampled with, and its texts by name."""

    dna: str
    cluster: int
    texts: Mapping[str, str]


def asked_of(pairs: Sequence[Mapping[str, Any]], seed: int) -> list[Asked]:
    """Return what is scored of pairs (text to DNA): each with its own text, none, and the controls.

    Another feature is one of another cluster, of the same organism and kind where there is one. Words of a text are what
    stands between blanks and marks of tags: tags stay where they are.

    Raises
    ------
    InputError
        All pairs are of one cluster, so that no other text is at hand.
    """
    if len({pair["cluster"] for pair in pairs}) < 2:
        raise InputError("all pairs are of one cluster: no text of another feature", fix="Give more pairs.")
    rng, found = np.random.default_rng(seed), []
    for pair in pairs:
        tags = pair["tags"]
        others = [one for one in pairs if one["cluster"] != pair["cluster"]]
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
        texts = dict(zip(CONTROLS, map(structured, (tags, organism, mixed, other["tags"]))))
        found.append(Asked(pair["target"], pair["cluster"], {"": "", **texts}))
    return found


def nats_behind(adapter: Adapter, asked: Sequence[tuple[str, str]], batch: int = 16) -> NDArray[np.float64]:
    """Return what bases cost behind texts, ``float64[n]`` nats; of a text the last half a row, of the bases the first half.

    Parameters
    ----------
    asked
        Text (empty: none) and DNA.

    Raises
    ------
    InputError
        The model reads no text.
    """
    row = require_text(adapter.origin)
    rows = []
    for text, dna in asked:
        bases = base_ids(dna)[: bases_of_row(row)]
        rows.append((np.concatenate([shown(text, row), [OVER], bases]), len(bases)))
    found = np.empty(len(rows))
    order = np.argsort([len(ids) for ids, _ in rows], kind="stable")
    adapter.eval()
    for start in range(0, len(order), batch):
        some = order[start : start + batch]
        width = max(len(rows[at][0]) for at in some)
        ids = torch.zeros(len(some), width, dtype=torch.int64)
        for line, at in enumerate(some):
            ids[line, : len(rows[at][0])] = torch.from_numpy(rows[at][0])
        mask = (torch.arange(width)[None] < torch.tensor([len(rows[at][0]) for at in some])[:, None]).long()
        with torch.no_grad():
            logs = adapter(ids.to(adapter.device), mask.to(adapter.device)).logits.float().log_softmax(-1).cpu()
        assert logs.shape[-1] >= VOCABULARY
        for line, at in enumerate(some):
            own, count = torch.from_numpy(rows[at][0]), rows[at][1]
            end = len(own)
            chosen = logs[line, end - count - 1 : end - 1].gather(-1, own[end - count :, None])
            found[at] = -float(chosen.double().sum())
    return found


def bases_of_row(row: int) -> int:
    """Return how many bases are scored at most: those that fit behind the longest text."""
    return row - row // 2 - 2


def saved_bits(adapter: Adapter, asked: Sequence[Asked], draws: int = 1000, seed: int = 1) -> pd.DataFrame:
    """Return bits per base without text and with each, what each saves, and what the own text saves beyond each, with intervals.

    A model that was rarely shown sequences without text predicts them worse for that reason too: what the own text saves beyond
    that of another feature is free of it.

    Returns
    -------
    DataFrame
        `what` (``bits per base``, ``saved`` or ``saved beyond``, both paired), `text` (empty: none), `value`, `low`, `high`
        (95 %, bootstrap over clusters), `n` (clusters).
    """
    names = list(asked[0].texts)
    flat = [(one.texts[name], one.dna) for one in asked for name in names]
    nats = nats_behind(adapter, flat).reshape(len(asked), len(names))
    most = bases_of_row(adapter.origin["row"])
    bases = np.array([min(len(one.dna), most) for one in asked], float)
    unit = np.unique([one.cluster for one in asked], return_inverse=True)[1]
    sums = np.zeros((unit.max() + 1, len(names) + 1))
    np.add.at(sums, unit, np.column_stack([nats, bases]))
    rows = []
    for place, name in enumerate(names):
        plain = interval_of_sums(sums, lambda s, at=place: s[..., at] / s[..., -1] / NATS, draws, seed)
        rows.append(("bits per base", name, *plain))
        if name:
            saved = interval_of_sums(
                sums, lambda s, at=place: (s[..., 0] - s[..., at]) / s[..., -1] / NATS, draws, seed
            )
            rows.append(("saved", name, *saved))
        if name not in ("", CONTROLS[0]):
            beyond = interval_of_sums(
                sums, lambda s, at=place: (s[..., at] - s[..., 1]) / s[..., -1] / NATS, draws, seed
            )
            rows.append(("saved beyond", name, *beyond))
    return pd.DataFrame(rows, columns=["what", "text", "value", "low", "high", "n"])


def ranks(adapter: Adapter, asked: Sequence[Asked], candidates: int, most: int, seed: int = 1) -> NDArray[np.float64]:
    """Return the rank of the true text of each DNA among others by what the DNA costs behind them, ``float64[n]`` from 1.

    Ties share their ranks. Texts that are the same as the true one are no candidates.

    Parameters
    ----------
    candidates
        Texts in all, as many as there are at most.
    most
        DNA sequences that are asked at most, drawn by `seed`.
    """
    rng = np.random.default_rng(seed)
    texts = list(dict.fromkeys(one.texts[CONTROLS[0]] for one in asked))
    if len(texts) < 2:
        raise InputError("all texts are the same: there is nothing to choose from", fix="Give more pairs.")
    found = []
    for at in rng.permutation(len(asked))[:most]:
        own = asked[at].texts[CONTROLS[0]]
        others = [text for text in rng.permutation(texts).tolist() if text != own][: candidates - 1]
        nats = nats_behind(adapter, [(text, asked[at].dna) for text in (own, *others)])
        found.append(1 + (nats[1:] < nats[0]).sum() + 0.5 * (nats[1:] == nats[0]).sum())
    return np.array(found)


def retrieval(found: NDArray[np.float64], candidates: int, draws: int = 1000) -> pd.DataFrame:
    """Return the mean rank of the true text, and how often it is the first, with intervals and what chance would be."""
    rows = [
        ("mean rank of the true text", f"of {candidates}; chance {(candidates + 1) / 2:g}", found),
        ("true text first", f"of {candidates}; chance {1 / candidates:.3g}", (found == 1).astype(float)),
    ]
    table = [(what, text, *interval_of_mean(values, draws)) for what, text, values in rows]
    return pd.DataFrame(table, columns=["what", "text", "value", "low", "high", "n"])
