"""Sampling DNA from a model, of a causal one whatever its tokenizer: a token a pass behind what is kept of those before.

What is drawn depends on model, prompt, settings and the number of the sequence, not on what it shares a batch with. Batches
and caches change the last digits of probabilities, and so, seldom, a draw that falls onto the border between two tokens:
such a draw is made from probabilities that are computed again, of that sequence by itself and from the beginning of its window.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glmflow.errors import InputError
from glmflow.models.byte_text import end_learned, reads_text, require_text, text_before
from glmflow.models.diffusion_generation import diffusion_ids, fill_in, is_diffusion
from glmflow.models.interface import Model, Network
from glmflow.models.row_tags import guided, tag_number, tagged
from glmflow.models.tokenizers import BASES, KmerTokenizer, clean

log = logging.getLogger(__name__)

NEAR = {torch.float32: 1e-4, torch.float64: 1e-9}
"""How near to a border a draw is made again, by the type that is computed in; shorter types are too coarse for it."""
HOPS = 4
"""A full window moves on by this part of the context, so that what is kept serves many tokens."""


class Sampling(NamedTuple):
    """How tokens are drawn.

    Attributes
    ----------
    temperature
        Divides the logits: below one the likely tokens get likelier.
    top_k
        Draw from the k likeliest tokens only.
    top_p
        Draw from the likeliest tokens that have this probability together (nucleus sampling; Holtzman et al. 2020).
    seed
        Of the draws.
    steps
        In which a model of masked diffusion fills in a window; of no other model.
    tag
        Of the sequences that are drawn, of a model that was trained with tags.
    guidance
        How much more than the tag itself says is asked of it: 0 is the model's own distribution (`row_tags.guided`).
    text
        Text that stands before the bases, of a model that was trained on pairs of DNA and text.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0
    steps: int | None = None
    tag: str | None = None
    guidance: float = 0.0
    text: str | None = None

    def checked(self) -> Sampling:
        """Return itself.

        Raises
        ------
        InputError
            A value that cannot be.
        """
        wrong = {
            "temperature": not 0 < self.temperature < float("inf"),
            "top_k": self.top_k is not None and self.top_k < 1,
            "top_p": self.top_p is not None and not 0 < self.top_p <= 1,
            "guidance": not 0 <= self.guidance < float("inf"),
        }
        for name, bad in wrong.items():
            if bad:
                fix = "Give a temperature above 0, a top_k of 1 or more, a top_p above 0 and up to 1, guidance of 0 or more."
                raise InputError(f"{name}: {getattr(self, name)} cannot be", fix=fix)
        if self.guidance and self.tag is None:
            raise InputError("guidance towards no tag", fix="Name a tag, or leave guidance out.")
        return self


class Drawn(NamedTuple):
    """A continuation: its bases, and the log-likelihood of its tokens in nats, at temperature 1 over all tokens.

    The token that ends a sequence counts among them. Of masked diffusion the log-likelihood is not a number.
    """

    sequence: str
    log_likelihood: float
    tokens: int


def generate(
    adapter: Model,
    prompts: Sequence[str | np.ndarray],
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> list[str]:
    """See `glmflow.models.adapter.Adapter.generate`."""
    return [drawn.sequence for drawn in draw(adapter, prompts, length, Sampling(temperature, top_k, None, seed))]


def draw(
    adapter: Model,
    prompts: Sequence[str | np.ndarray],
    length: int,
    sampling: Sampling,
    numbers: Sequence[int] | None = None,
    batch: int = 8,
    cached: bool = True,
) -> list[Drawn]:
    """Sample what follows each prompt, `length` bases of A, C, G and T, or fewer where the model draws the end of a sequence.

    Parameters
    ----------
    prompts
        Sequences; an empty one where the model has a token for the start. A k-mer model reads the last whole k-mers of it.
    numbers
        Number of each sequence, which together with the seed decides its draws; 0, 1, 2 ... by default.
    batch
        Sequences that are drawn together, of one number of tokens.
    cached
        Keep what layers read of the tokens before; without it every token is a pass over its window.

    Raises
    ------
    NotSupportedError
        The model is neither causal nor one of masked diffusion.
    InputError
        A prompt is empty or too short, or a setting is of another kind of model.
    """
    require_generation(adapter, sampling)
    if is_diffusion(adapter):
        return _filled_in(adapter, prompts, length, sampling, numbers)
    ids = [prompt_ids(adapter, prompt) for prompt in prompts]
    numbers = range(len(prompts)) if numbers is None else numbers
    was_training = adapter.training
    adapter.eval()
    drawn: list[Drawn | None] = [None] * len(ids)
    order = sorted(range(len(ids)), key=lambda row: (len(ids[row]), row))
    start = 0
    with torch.no_grad():
        while start < len(order):
            rows = [row for row in order[start : start + batch] if len(ids[row]) == len(ids[order[start]])]
            start += len(rows)
            group = _Group(
                adapter, [ids[row] for row in rows], [numbers[row] for row in rows], length, sampling, cached
            )
            for row, found in zip(rows, group.run()):
                drawn[row] = found
    adapter.train(was_training)
    return drawn  # type: ignore[return-value]


def require_generation(adapter: Model, sampling: Sampling) -> None:
    """Refuse models that nothing can be drawn from, and settings that are of another kind of model.

    Raises
    ------
    NotSupportedError
        The model is neither causal nor one of masked diffusion.
    InputError
        A setting cannot be.
    """
    sampling.checked()
    if sampling.tag is not None:
        tag_number(adapter.config, sampling.tag)
    if sampling.text is not None:
        require_text(adapter.origin)
    if not is_diffusion(adapter):
        adapter.require("generation")
        if sampling.steps is not None:
            fix = "Leave the steps out."
            raise InputError(f"{adapter.card.family} draws a token after the other, in no steps", fix=fix)
    elif sampling.top_k is not None or sampling.top_p is not None:
        fix = "Leave top_k and top_p out; a lower temperature does much the same."
        raise InputError("a model of masked diffusion is drawn from by temperature alone", fix=fix)


def _filled_in(
    adapter: Model,
    prompts: Sequence[str | np.ndarray],
    length: int,
    sampling: Sampling,
    numbers: Sequence[int] | None,
) -> list[Drawn]:
    """Draw from a model of masked diffusion; the likelihood of what is drawn is not known."""
    was_training = adapter.training
    adapter.eval()
    drawn = []
    tag = None if sampling.tag is None else (tag_number(adapter.config, sampling.tag), sampling.guidance)
    for prompt, number in zip(prompts, range(len(prompts)) if numbers is None else numbers):
        seed = (sampling.seed, number)
        drawn.append(
            Drawn(fill_in(adapter, prompt, length, sampling.temperature, sampling.steps, seed, tag), np.nan, length)
        )
    adapter.train(was_training)
    return drawn


def prompt_ids(adapter: Model, prompt: str | np.ndarray) -> NDArray[np.int64]:
    """Return the tokens of a prompt, without those that stand before every sequence."""
    tokenizer = adapter.tokenizer
    assert tokenizer is not None
    if is_diffusion(adapter):
        return diffusion_ids(adapter, prompt)
    if not len(prompt):
        if not tokenizer.prefix and not reads_text(adapter.origin):
            fix = "Give a prompt of at least a base."
            raise InputError("an empty prompt, and the model has no token for the start of a sequence", fix=fix)
        return np.zeros(0, np.int64)
    codes = clean(prompt)
    if isinstance(tokenizer, KmerTokenizer):
        if len(codes) < tokenizer.k:
            raise InputError(
                f"a prompt of {len(codes)} bases holds no whole token of {tokenizer.k}",
                fix=f"Give a prompt of {tokenizer.k} bases or more.",
            )
        codes = codes[len(codes) % tokenizer.k :]
    return tokenizer.pieces(codes).ids


def end_token(adapter: Model) -> int | None:
    """Return the token that ends a sequence, where a model has learned one: of a published one its ``config.json`` names it.

    Of models that are pretrained here those have one that learned from pairs of DNA and text, or from whole sequences with
    their ends (`ends`); windows are cut out of longer sequences.
    """
    if reads_text(adapter.origin) or adapter.origin.get("ends"):
        return end_learned(adapter)
    found = adapter.config.get("eos_token_id")
    if "objective" in adapter.origin or not isinstance(found, int) or not 0 <= found < adapter.card.vocab_size:
        return None
    spelled = {index: token for token, index in adapter.tokenizer.vocab.items()} if adapter.tokenizer else {}
    return found if found in spelled and not set(spelled[found]) <= {*BASES, "N"} else None


def window_start(tokens: int, fits: int | None) -> int:
    """Return the first token that is seen by the one that follows `tokens` tokens: 0 as long as all fit."""
    if fits is None or tokens <= fits:
        return 0
    hop = max(1, fits // HOPS)
    return hop * -(-(tokens - fits) // hop)


class _Group:
    """Sequences of one number of tokens that are drawn together."""

    def __init__(self, adapter: Model, ids, numbers, length: int, sampling: Sampling, cached: bool):
        tokenizer, card = adapter.tokenizer, adapter.card
        assert tokenizer is not None
        self.adapter, self.length, self.sampling = adapter, length, sampling
        self.cached = cached and adapter.network.continues
        spelled = {index: token for token, index in tokenizer.vocab.items() if token and set(token) <= set(BASES)}
        self.letters = np.array(sorted(index for index in spelled if index < card.vocab_size))
        self.words = [spelled[index] for index in self.letters.tolist()]
        self.end = end_token(adapter)
        prefix = [*tokenizer.prefix, *text_before(adapter.origin, sampling.text)]
        self.prefix = torch.tensor(prefix, dtype=torch.int64, device=adapter.device)
        self.fits = None if card.context_tokens is None else card.context_tokens - len(self.prefix)
        self.ids = torch.from_numpy(np.stack(ids)).to(adapter.device)
        self.generators = [np.random.default_rng([sampling.seed, number]) for number in numbers]
        self.near = NEAR.get(getattr(adapter, "compute_dtype", torch.float32), 0.0)
        self.memory, self.start, self.read = None, -1, 0
        # With guidance each sequence is read twice: with its tag in the first half of the rows, without in the second.
        self.twice = 2 if sampling.guidance else 1
        self.tag = 0 if sampling.tag is None else tag_number(adapter.config, sampling.tag)

    def run(self) -> list[Drawn]:
        """Draw until all sequences are long enough or have ended."""
        count = len(self.ids)
        texts: list[list[str]] = [[] for _ in range(count)]
        bases, nats, tokens = np.zeros(count, int), np.zeros(count), np.zeros(count, int)
        ended = np.zeros(count, bool)
        while not (ended | (bases >= self.length)).all():
            logits = self._logits()
            chosen = []
            for row in range(count):
                if ended[row] or bases[row] >= self.length:  # it waits for the others; what it is given changes nothing
                    chosen.append(int(self.letters[0]))
                    continue
                point = self.generators[row].random()
                scores = logits[row]
                # A sequence has a token at least: the end is never the first.
                ends = self.end is not None and tokens[row] > 0
                allowed = np.append(self.letters, self.end) if ends else self.letters
                token, sure = pick(scores[allowed], point, self.sampling, self.near)
                if not sure and self.near:
                    scores = self._alone(row)
                    token, _ = pick(scores[allowed], point, self.sampling, 0.0)
                tokens[row] += 1
                nats[row] += scores[allowed[token]] - np.logaddexp.reduce(scores)
                ended[row] = token == len(self.letters)
                if not ended[row]:
                    texts[row].append(self.words[token])
                    bases[row] += len(self.words[token])
                chosen.append(int(self.letters[0] if ended[row] else allowed[token]))
            self.ids = torch.cat([self.ids, torch.tensor(chosen, device=self.ids.device)[:, None]], 1)
        joined = ["".join(text)[: self.length] for text in texts]
        return [Drawn(*values) for values in zip(joined, nats.tolist(), tokens.tolist())]

    def _logits(self) -> NDArray[np.float64]:
        """Return the scores of all tokens that may come next, `[B, V]`."""
        start = window_start(self.ids.shape[1], self.fits)
        network = self.adapter.network
        with self._tagged(len(self.ids)):
            return self._scores(self._states(start, network))

    def _states(self, start: int, network: Network) -> Tensor:
        """Return the states that say what comes next, `[B, 1, D]`; with guidance those of no tag behind them."""
        if not self.cached:
            return self.adapter.hidden_states(self._window(self.ids, start))[:, -1:]
        if start != self.start:
            seen = self._window(self.ids, start)
            room = self.length if self.fits is None else self.fits + len(self.prefix) - seen.shape[1]
            states, self.memory = network.begin(seen, min(room, self.length))
            states, self.start, self.read = states[:, -1:], start, seen.shape[1]
        else:
            states = network.step(self.memory, self.read, self.ids[:, -1:].repeat(self.twice, 1))
            self.read += 1
        return states

    def _tagged(self, rows: int) -> AbstractContextManager[None]:
        """Let sequences have the tag that is asked for, and their second reading none."""
        if not self.tag:
            return nullcontext()
        tags = torch.full((rows * self.twice,), self.tag, device=self.ids.device)
        tags[rows:] = 0
        return tagged(tags)

    def _alone(self, row: int) -> NDArray[np.float64]:
        """Return the scores of one sequence, computed by itself and from the beginning of its window."""
        seen = self._window(self.ids[row : row + 1], window_start(self.ids.shape[1], self.fits))
        with self._tagged(1):
            return self._scores(self.adapter.hidden_states(seen)[:, -1:])[0]

    def _window(self, ids: Tensor, start: int) -> Tensor:
        return torch.cat([self.prefix.expand(len(ids), -1), ids[:, start:]], 1).repeat(self.twice, 1)

    def _scores(self, states: Tensor) -> NDArray[np.float64]:
        logits = self.adapter.network.logits(states)[:, 0].double()[:, : self.adapter.card.vocab_size]
        if self.twice == 2:
            logits = guided(*logits.chunk(2), self.sampling.guidance)
        return logits.cpu().numpy()


def pick(scores: NDArray[np.float64], point: float, sampling: Sampling, near: float) -> tuple[int, bool]:
    """Return the token that a number from 0 to 1 falls on, and whether it is farther than `near` from every border.

    Parameters
    ----------
    scores
        Logits of the tokens that may be drawn, `[V]`.
    """
    scaled = scores / sampling.temperature
    shares = np.exp(scaled - scaled.max())
    shares /= shares.sum()
    sure = True
    if sampling.top_k is not None and sampling.top_k < len(shares):
        ordered = np.sort(shares)[::-1]
        last, after = ordered[sampling.top_k - 1 : sampling.top_k + 1]
        sure &= last - after > near
        shares = _kept(shares, np.argsort(-shares, kind="stable")[: sampling.top_k])
    if sampling.top_p is not None and sampling.top_p < 1:
        order = np.argsort(-shares, kind="stable")
        sums = np.cumsum(shares[order])
        count = int(np.searchsorted(sums, sampling.top_p - 1e-12)) + 1
        sure &= bool((np.abs(sums - sampling.top_p) > near).all())
        if count < len(order):
            sure &= shares[order[count - 1]] - shares[order[count]] > near
        shares = _kept(shares, order[:count])
    borders = np.cumsum(shares)
    token = int(np.searchsorted(borders, point * borders[-1], side="right"))
    token = min(token, int(np.flatnonzero(shares)[-1]))
    sure &= bool((np.abs(borders[:-1] / borders[-1] - point) > near).all())
    return token, bool(sure)


def _kept(shares: NDArray[np.float64], tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the shares of some tokens alone, which sum to one."""
    found = np.zeros_like(shares)
    found[tokens] = shares[tokens]
    return found / found.sum()
