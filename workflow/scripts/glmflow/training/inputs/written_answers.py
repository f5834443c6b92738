"""Texts that a model writes to questions: greedily, held to the list, or drawn as published; its ranking behind its thoughts."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.models.text.dna_text import PADDING, embedded

from ..parts import Parts
from ..stream import to_device
from ..targets.answer_text import vectors_of
from .allele_controls import APART, AT_ONCE, Asking

DRAWN = {"temperature": 0.6, "top_p": 0.95, "top_k": 20}
"""How texts are drawn (BioReason's and Genos' settings)."""
THINK, THOUGHT = "<think>", "</think>"
WRITTEN_WAY, THOUGHT_WAY, LISTED_WAY = 2000, 1999, 1998
"""Numbers of these ways of asking among the parts that are kept."""


def generated(asking: Asking, parts: Parts) -> pd.DataFrame | None:
    """Return texts of each test question, `example`, `draw`, `generation`; None where the head writes none.

    Draw 0 is written greedily; the others, as many as the head's `samples`, are drawn. A model that learned reasoning writes
    its own before the answer.
    """
    if not asking.generates or asking.words.tokenizer is None:
        return None
    found = []
    for draw in range(asking.samples + 1):
        for first in range(0, len(asking.test), AT_ONCE):
            places = asking.test[first : first + AT_ONCE]
            make = partial(_texts, asking, places, draw)
            found += parts.tables((WRITTEN_WAY + draw) * APART + first, make)
    return pd.concat(found, ignore_index=True)


def _texts(asking: Asking, places: NDArray[np.int64], draw: int) -> list[pd.DataFrame]:
    own, texts = asking.own(), []
    prompts = [asking.items.prompt(int(place), asking.words.traces) for place in places]
    for batch in asking.batches([own[place] for place in places], places, prompts):
        seeds = [int(asking.run.seed) * APART + draw * len(asking.items) + int(place) for place in places[len(texts) :]]
        texts += written(asking, to_device(batch, asking.model.device), seeds if draw else None)
    return [pd.DataFrame({"example": asking.examples["example"].iloc[places], "draw": draw, "generation": texts})]


@torch.no_grad()
def written(asking: Asking, batch: dict[str, Any], seeds: list[int] | None = None) -> list[str]:
    """Return what the text model writes behind each prompt of a batch, with its end where it writes it.

    Parameters
    ----------
    seeds
        Of each text that is drawn; greedily without them.
    """
    head, model = asking.head, asking.model
    vectors = vectors_of(model, batch)
    devices = [model.device] if model.device.type == "cuda" else []
    found = []
    for row in range(len(batch["prompt_ids"])):
        ids = batch["prompt_ids"][row : row + 1]
        ids = ids[:, ids[0] != PADDING]
        own = None if vectors is None else vectors[row : row + 1]
        words = embedded(head.text, head.prompts(ids, own), own)
        with torch.random.fork_rng(devices):
            if seeds is not None:
                torch.manual_seed(seeds[row])
            made = head.text.generate(
                inputs_embeds=words,
                attention_mask=torch.ones(words.shape[:2], dtype=torch.long, device=words.device),
                max_new_tokens=asking.generates,
                eos_token_id=asking.words.tokenizer.end,
                pad_token_id=asking.words.tokenizer.end,
                **({"do_sample": False} if seeds is None else {"do_sample": True, **DRAWN}),
            )
        found.append(asking.words.tokenizer.decode(made[0].tolist()))
    return found


def held_to_list(asking: Asking, parts: Parts) -> pd.DataFrame:
    """Return the answer to each test question that is written token by token and never off the list: `example`, `answer`."""

    def make(places: NDArray[np.int64]) -> NDArray[np.int64]:
        own, found = asking.own(), []
        for batch in asking.batches([own[place] for place in places], places):
            moved = to_device(batch, asking.model.device)
            with torch.no_grad():
                vectors = vectors_of(asking.model, moved)
                found.append(asking.head.held_to_list(vectors, moved["prompt_ids"]).cpu().numpy())
        return np.concatenate(found)

    answers = [
        parts.array(LISTED_WAY * APART + first, partial(make, asking.test[first : first + AT_ONCE]))
        for first in range(0, len(asking.test), AT_ONCE)
    ]
    names = np.array(asking.classes, object)
    return pd.DataFrame({
        "example": asking.examples["example"].iloc[asking.test].to_numpy(),
        "answer": names[np.concatenate(answers)] if answers else np.array([], object),
    })  # fmt: skip


def thought_of(text: str) -> str | None:
    """Return the thoughts that a text begins with; None where they have no end."""
    if THOUGHT not in text:
        return None
    return text.split(THOUGHT, 1)[0].removeprefix(THINK).strip("\n")


def behind_thoughts(asking: Asking, texts: pd.DataFrame, parts: Parts) -> pd.DataFrame:
    """Return the log probability of every answer behind the model's own greedy thoughts: `example`, `ended`, classes.

    Where the thoughts have no end (`ended` is False) the answers stand behind an empty thought, as in the ranking without.
    """
    greedy = texts[texts["draw"] == 0].set_index("example")["generation"]
    names = asking.examples["example"].iloc[asking.test]
    thoughts = [thought_of(greedy[name]) for name in names]
    prompts = [
        asking.words.prompt(asking.items.questions[place], thought=own or "")
        for place, own in zip(asking.test, thoughts)
    ]
    own = asking.own()
    logs = asking.ranked([own[place] for place in asking.test], parts, THOUGHT_WAY, asking.test, prompts=prompts)
    table = pd.DataFrame(logs, columns=asking.classes)
    table.insert(0, "ended", [one is not None for one in thoughts])
    table.insert(0, "example", names.to_numpy())
    return table
