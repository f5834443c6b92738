"""Probabilities of bases read off the states of a sequence, whatever the tokenizer and the objective."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.effects.likelihood_model import LOGITS, LikelihoodModel
from glmflow.effects.token_rows import TokenRows


class Predictions:
    """Reads the probabilities of the bases of a sequence, or of its mutants, off states.

    Attributes
    ----------
    cover
        `int64[L]`: the token of each base.
    hidden
        `bool[L]`: bases in tokens that stand for no bases of A, C, G and T; their rows and columns are NaN.
    """

    def __init__(self, model: LikelihoodModel, own: TokenRows):
        self._model = model
        self.cover = own.cover[0].astype(np.int64)
        self._at = self.cover - (0 if model.masked else 1)  # the token whose state predicts each base
        start = np.flatnonzero(np.append(True, np.diff(self.cover) != 0))
        width = np.diff(np.append(start, len(self.cover)))
        offset = np.arange(len(self.cover)) - np.repeat(start, width)
        kinds, self._kind = np.unique(np.stack([np.repeat(width, width), offset], 1), axis=0, return_inverse=True)
        table = model.adapter.tokenizer.bases[: model.adapter.card.vocab_size]
        size = (table >= 0).sum(1)
        members = np.zeros((len(table), len(kinds), 4), bool)
        for place, (length, at) in enumerate(kinds.tolist()):
            if at < table.shape[1]:
                fits = (size == length) & (table[:, at] >= 0)
                members[fits, place, table[fits, at]] = True
        self._members = torch.from_numpy(members).to(model.adapter.device)
        lacking = ~members.any((0, 2))[self._kind.reshape(-1)]
        self.hidden = lacking | (~model.scored(own)[0][self.cover] if model.kind == "kmer" else False)
        self._none = self.hidden | (self._at < 0)

    def first_base(self, at: int) -> int:
        """Return the first base that the states from token `at` on predict."""
        return int(np.searchsorted(self._at, at)) if at else 0

    def read(self, states: Tensor, at: int = 0) -> Tensor:
        """Return probabilities of A, C, G and T, `float64[n, bases, 4]`, of bases that states from token `at` on predict.

        NaN where there is no prediction.
        """
        first = self.first_base(at)
        tokens, which = np.unique(np.maximum(self._at[first:], 0), return_inverse=True)
        which, kind = which.reshape(-1), self._kind.reshape(-1)[first:]
        found = torch.full((len(states), len(which), 4), torch.nan, dtype=torch.float64, device=states.device)
        size = max(1, LOGITS // (len(states) * self._model.adapter.card.vocab_size))
        for begin in range(0, len(tokens), size):
            here = np.flatnonzero((which >= begin) & (which < begin + size) & ~self._none[first:])
            some = torch.from_numpy(tokens[begin : begin + size] - at).to(states.device)
            logits = self._model.logits(states[:, some])[..., : len(self._members)]
            found[:, here] = self._of_bases(logits, which[here] - begin, kind[here])
        return found

    def _of_bases(self, logits: Tensor, token: NDArray, kind: NDArray) -> Tensor:
        """Return the probabilities of the bases of some tokens: sums over the tokens that have each, scaled to one."""
        members = self._members[:, kind]
        if self._model.kind == "base":
            ids = members[:, 0].to(torch.uint8).argmax(0) if len(kind) else torch.zeros(4, dtype=torch.int64)
            return logits[:, token][..., ids].double().softmax(-1)
        sums = logits.double().softmax(-1) @ self._members.flatten(1).double()
        own = sums.unflatten(-1, (-1, 4))[:, token, kind]
        return own / own.sum(-1, keepdim=True)
