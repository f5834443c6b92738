"""What DNA costs a model that reads text behind texts, in nats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from .adapter import Adapter
from .byte_text import OVER, VOCABULARY, base_ids, bases_of_row, require_text, shown


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
