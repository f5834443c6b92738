"""Questions as items and batches: both alleles around the change, the words before the answer, and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from glmflow.bases import other_strand
from glmflow.errors import InputError
from glmflow.models.interface import Tokens
from glmflow.models.text.conversation import ASSISTANT, EMPTY_THOUGHT, END, START, answer_text
from glmflow.models.text.dna_text import DNA, PADDING
from glmflow.models.text.text_loading import TextTokenizer, load_tokenizer, new_tokenizer, read_tokenizer

from ..placed_alleles import placed
from ..stream import Item
from .allele_views import Alleles, of_example, permuted, shuffled_flanks

USER = f"{START}user\n"
BEHIND = f"{END}\n{ASSISTANT}"
LONGEST = 4096
"""Tokens of a question with its answer; a longer one is refused, never cut."""


BARE = 0.5
"""Share of the training draws with reasoning that are answered without it: ranking and controls ask behind an empty thought."""


class Words:
    """Turns questions and answers into ids.

    Parameters
    ----------
    tokenizer
        None for a head that reads no words.
    classes
        Answers in their order.
    """

    def __init__(self, tokenizer: TextTokenizer | None, classes: Sequence[str], traces: bool, trace_weight: float):
        self.tokenizer, self.classes, self.traces, self.trace_weight = tokenizer, list(classes), traces, trace_weight
        self.answers = [self._ids(f"Answer: {name}{END}") for name in self.classes]

    def _ids(self, text: str) -> NDArray[np.int64]:
        return np.array(self.tokenizer.encode(text) if self.tokenizer else [0], np.int64)

    def prompt(self, question: str, thinks: bool = False, thought: str = "") -> NDArray[np.int64]:
        """Return a question up to where its answer begins, one place of DNA for both alleles before it.

        Up to where its thoughts begin, if it `thinks`; else behind an empty thought, or behind one that is given.
        """
        behind = answer_text("", thought).removesuffix(f"Answer: {END}")
        ending = BEHIND + ("" if thinks else behind)
        return np.concatenate([self._ids(USER), [DNA], self._ids(question.strip() + ending)])

    def answer(self, place: int, reasoning: str = "") -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids of an answer with its end, and how much each counts in the loss.

        With reasoning before it, that has the share `trace_weight` of the loss.
        """
        own = self.answers[place]
        if not reasoning:
            return own, np.ones(len(own), np.float32)
        whole = self._ids(answer_text(self.classes[place], reasoning))
        weight = np.full(len(whole), self.trace_weight * len(own) / max(1, len(whole) - len(own)), np.float32)
        weight[-len(own) :] = 1 - self.trace_weight
        return whole, weight

    def require_joints(self) -> None:
        """Stop where a prompt and an answer are other ids together than one by one: likelihoods would be of another text."""
        if self.tokenizer is None:
            return
        for name, own in zip(self.classes, self.answers):
            joined = self._ids(f"x{BEHIND}{EMPTY_THOUGHT}Answer: {name}{END}")
            if joined[-len(own) :].tolist() != own.tolist():
                what = f"the tokenizer joins the answer {name!r} with what stands before it"
                raise InputError(what, where="head.text", fix="Take another text model.")


class AlleleQuestions:
    """Makes the item of a question: its alleles as a model reads them, its prompt and its answer.

    Parameters
    ----------
    views
        Alleles of each question.
    words
        Turns text into ids.
    no_change
        Share of the training draws whose variant is the reference.
    unchanged
        Place of the answer then.
    """

    def __init__(
        self, examples: pd.DataFrame, views: Sequence[Alleles], words: Words, no_change: float, unchanged: int
    ):
        self.views, self.words, self.no_change, self.unchanged = list(views), words, no_change, unchanged
        place = {name: number for number, name in enumerate(words.classes)}
        self.targets = examples["target"].map(place).to_numpy(np.int64)
        self.questions = examples["text_question"].tolist()
        self.reasons = examples["text_reasoning"].fillna("").tolist() if words.traces else [""] * len(examples)
        self.names = examples["example"].tolist()
        self.prompts: dict[tuple[str, bool], NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return len(self.views)

    def describe(self, index: int) -> str:
        """Return the name of a question."""
        return str(self.names[index])

    def __call__(self, index: int, generator: np.random.Generator | None) -> Item:
        """Return the item of a question; in training some with the reference in the variant's place."""
        view, target, reason = self.views[index], int(self.targets[index]), self.reasons[index]
        if generator is None:
            reason = ""
        elif generator.random() < self.no_change:
            view, target, reason = view.unvaried(), self.unchanged, ""
        elif reason and generator.random() < BARE:
            reason = ""
        answer, weight = self.words.answer(target, reason)
        return {
            "view": view,
            "prompt": self.prompt(index, bool(reason)),
            "answer": answer,
            "weight": weight,
            "target": target,
        }

    def prompt(self, index: int, thinks: bool = False) -> NDArray[np.int64]:
        """Return the prompt of a question; the same question is encoded once."""
        key = self.questions[index], thinks
        if key not in self.prompts:
            self.prompts[key] = self.words.prompt(*key)
        return self.prompts[key]


def padded(rows: Sequence[NDArray], filling: float) -> torch.Tensor:
    """Return rows of several lengths as one tensor, filled on the right."""
    width = max(map(len, rows))
    return torch.from_numpy(np.stack([np.pad(row, (0, width - len(row)), constant_values=filling) for row in rows]))


def placed_pair(view: Alleles) -> list[NDArray[np.uint8]]:
    """Return both alleles of a pair with the places of their change (`placed_alleles`)."""
    return [placed(own, place) for own, place in zip((view.ref, view.alt), view.places())]


def collate(
    items: Sequence[Item],
    tokenize: Callable[[list[str]], Tokens],
    kept: Callable[[list[NDArray[np.uint8]]], torch.Tensor] | None = None,
    both_strands: bool = False,
    reads_dna: bool = True,
) -> dict[str, Any]:
    """Stack questions into a batch: the fields of `Tokens` of all alleles (ref, alt, ref, alt ...), and words as ids.

    `prompt_ids` `[S, P]`, `answer_ids` and `answer_weight` `[S, T]`, `change` `[2 S, 2]`, `targets` `[S]`. In place of tokens
    `features` that are kept of alleles; empty ones where a head reads no DNA, so that no state is computed.
    """
    views = [item["view"] for item in items]
    if not reads_dna:
        alleles = {"features": torch.zeros(2 * len(views), 0)}
    elif kept is not None:
        alleles = {"features": kept([own for view in views for own in placed_pair(view)])}
    else:
        sequences: list[str] = []
        for view in views:
            pair = [view.ref, view.alt]
            sequences += pair + ([other_strand(own) for own in pair] if both_strands else [])
        alleles = tokenize(sequences)._asdict()
    return {
        **alleles,
        "prompt_ids": padded([item["prompt"] for item in items], PADDING),
        "answer_ids": padded([item["answer"] for item in items], DNA),
        "answer_weight": padded([item["weight"] for item in items], 0),
        "change": torch.tensor([row for view in views for row in view.places()]),
        "targets": torch.tensor([item["target"] for item in items]),
    }


def texts_of(questions: Iterable[str], answers: Iterable[str]) -> list[str]:
    """Return what byte pairs are learned from: questions, and answers as they are written."""
    return [*questions, *(f"Answer: {name}" for name in answers)]


def tokenizer_of(head: Any, fitted: dict[str, Any], learned: pd.DataFrame) -> TextTokenizer | None:
    """Return the tokenizer of a head, and note one that is made here; None of a head that reads no words."""
    if not hasattr(head, "text"):
        return None
    if head.text_folder:
        return load_tokenizer(head.text_folder)
    thoughts = learned["text_reasoning"].fillna("") if head.traces else []
    texts = texts_of(learned["text_question"], [*learned["target"], *fitted["classes"]])
    made = new_tokenizer([*texts, *thoughts], head.vocabulary)
    fitted["tokenizer"] = made.written()
    return made


def words_of(head: Any, fitted: Mapping[str, Any], tokenizer: TextTokenizer | None) -> Words:
    """Return what turns questions and answers into ids."""
    return Words(tokenizer, fitted["classes"], getattr(head, "traces", False), getattr(head, "trace_weight", 0.0))


def views_of(examples: pd.DataFrame, task: Any) -> list[Alleles]:
    """Return the alleles of questions as models read them."""
    return [of_example(ref, alt, task) for ref, alt in zip(examples["sequence_ref"], examples["sequence_alt"])]


def seen_by(head: Any, views: list[Alleles], examples: pd.DataFrame, seed: int) -> list[Alleles]:
    """Return the alleles that an arm is trained on."""
    how = getattr(head, "dna", "")
    if how == "permuted":
        return permuted(views, examples["target"].tolist(), seed)
    return [shuffled_flanks(view, seed) for view in views] if how == "shuffled" else views


def require_length(items: AlleleQuestions, words: Words) -> None:
    """Stop where a question with its answer has more tokens than a text model is given: nothing is ever cut off."""
    most = max(map(len, words.answers))
    for index in range(len(items)):
        own = (
            len(items.prompt(index))
            + most
            + (len(words.answer(0, items.reasons[index])[0]) if items.reasons[index] else 0)
        )
        if own > LONGEST:
            what = f"question {items.describe(index)} has {own:,} tokens with its answer, more than {LONGEST:,}"
            raise InputError(what, where="examples", fix="Shorten it, or leave `traces` out; answers are never cut.")


def probabilities(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each answer among those of the list, from log probabilities of their texts."""
    shifted = np.exp(logs - logs.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def read_words(head: Any, fitted: Mapping[str, Any]) -> Words:
    """Return what turns questions into ids for a model that was trained."""
    tokenizer = None
    if hasattr(head, "text"):
        tokenizer = load_tokenizer(head.text_folder) if head.text_folder else read_tokenizer(fitted["tokenizer"])
    return words_of(head, fitted, tokenizer)
