"""A trained model asked the same questions with other alleles in place of their own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ..frozen_states import compute, computed, sequence_key
from ..parts import Parts
from ..ready import Predictor
from ..stream import to_device
from ..targets.answer_text import ranked, vectors_of
from .allele_views import Alleles, permuted, shuffled_flanks
from .question_items import AlleleQuestions, collate, placed_pair, probabilities, read_words, require_length, views_of

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Questions that are asked between two times that answers are kept."""
EMPTY = "no_words"
"""The way of asking that shows the own alleles behind a question without content."""
APART = 2**20
"""Numbers of parts that one way of asking may take."""


class Asking:
    """A model and the held-out questions that it is asked.

    Attributes
    ----------
    items
        The questions, in the order of `examples`.
    test : int[n]
        Places of the test questions, of which controls are asked.
    """

    def __init__(self, predictor: Predictor, examples: pd.DataFrame):
        self.model, self.run, self.store = predictor.model, predictor.run, predictor.kept
        self.head, self.examples = self.model.target.head, examples
        settings = self.run.adaptation.head_for(self.run.task.target)
        self.generates, self.samples = getattr(settings, "generate", 0), getattr(settings, "samples", 0)
        self.classes = list(self.head.classes)
        tokenizer = getattr(self.head, "tokenizer", None)
        written = tokenizer.written() if tokenizer else ""
        self.words = read_words(settings, {"classes": self.classes, "tokenizer": written})
        unchanged = self.classes.index(self.run.task.unchanged)
        self.items = AlleleQuestions(examples, views_of(examples, self.run.task), self.words, 0.0, unchanged)
        require_length(self.items, self.words)
        self.test = np.flatnonzero((examples["split"] == "test").to_numpy())
        self.batch = max(1, self.run.adaptation.train.micro_batch)

    def own(self) -> list[Alleles]:
        """Return the alleles of each question as this arm reads them."""
        if self.head.dna == "shuffled":
            return [shuffled_flanks(view, self.run.seed) for view in self.items.views]
        return self.items.views

    def keep(self, views: Sequence[Alleles]) -> None:
        """Compute what a frozen DNA model has to say of pairs of alleles, where that is kept: once for all runs."""
        if self.store is not None:
            compute(self.store, self.model, [own for view in views for own in placed_pair(view)], 2 * self.batch)
            self.store.flush()

    def kept(self, alleles: list[NDArray[np.uint8]]) -> torch.Tensor:
        """Return what is kept of alleles; of those that are asked once (shuffled ones) it is computed and not kept."""
        assert self.store is not None
        known = all(sequence_key(own) in self.store for own in alleles)
        return self.store(alleles) if known else computed(self.model, alleles)

    def batches(
        self, views: Sequence[Alleles], places: Sequence[int], prompts: Sequence[NDArray[np.int64]] | None = None
    ) -> Any:
        """Yield batches of questions with the alleles that are given, one a place, and with other prompts where some are."""
        tokenize, kept = partial(self.model.adapter.tokenize, chunk=True), self.kept if self.store is not None else None
        for first in range(0, len(places), self.batch):
            own = slice(first, first + self.batch)
            rows = [self.items(int(place), None) | {"view": view} for place, view in zip(places[own], views[own])]
            if prompts is not None:
                rows = [row | {"prompt": prompt} for row, prompt in zip(rows, prompts[own])]
            yield collate(rows, tokenize, kept, both_strands=self.head.both_strands, reads_dna=self.head.reads_dna)

    def ranked(
        self,
        views: Sequence[Alleles],
        parts: Parts,
        way: int,
        places: NDArray | None = None,
        vectors: Any = "own",
        prompts: Sequence[NDArray[np.int64]] | None = None,
    ) -> NDArray[np.float64]:
        """Return the log probabilities of all answers, `[n, classes]`, kept part by part.

        Parameters
        ----------
        way
            Number of the way of asking: parts of different ways are kept apart.
        places
            Of the questions; all by default.
        vectors
            In place of the alleles' own: `[n vectors, H]`, or None for no DNA.
        prompts
            In place of the questions' own.
        """
        places = np.arange(len(self.items)) if places is None else places
        found = []
        for first in range(0, len(places), AT_ONCE):
            own = slice(first, first + AT_ONCE)
            words = None if prompts is None else prompts[own]
            make = partial(self._part, views[own], places[own], vectors, words)
            found.append(parts.array(way * APART + first, make))
        return np.concatenate(found)

    def _part(self, views: Sequence[Alleles], places: NDArray, vectors: Any, prompts: Any) -> NDArray[np.float64]:
        rows = []
        for batch in self.batches(views, places, prompts):
            given = vectors
            if isinstance(vectors, torch.Tensor):
                given = vectors.expand(len(batch["targets"]), *vectors.shape)
            rows.append(ranked(self.model, batch, given))
        return np.concatenate(rows)

    def mean_vectors(self, views: Sequence[Alleles], places: NDArray) -> torch.Tensor:
        """Return the mean of the vectors of questions, in each place of the DNA."""
        total, seen = None, 0
        for batch in self.batches(views, places):
            moved = to_device(batch, self.model.device)
            with torch.no_grad():
                own = vectors_of(self.model, moved)
            total, seen = own.sum(0) if total is None else total + own.sum(0), seen + len(own)
        return total / seen

    @torch.no_grad()
    def content_free(self) -> NDArray[np.float64]:
        """Return the log probability of each answer behind an empty question, the mean of all alleles in every place of DNA.

        What answers have from their words alone (Zhao et al. 2021, contextual calibration).
        """
        vectors = None
        if self.head.reads_dna:
            vectors = self.mean_vectors([self.own()[place] for place in self.test], self.test)[None]
        elif self.head.bridge is not None:
            vectors = self.head.bridge.without_content(1)
        ids = torch.from_numpy(self.words.prompt(""))[None].to(self.model.device)
        return self.head.ranked(vectors, ids)[0].double().cpu().numpy()


def controls(asking: Asking, parts: Parts) -> pd.DataFrame:
    """Return the probabilities of all answers to the test questions with other alleles: `example`, `control`, `draw`, classes.

    Pairs of other questions with another answer, shuffled flanks, and a change elsewhere are drawn several times; the reference
    in the variant's place, both swapped, the mean vector in every place of the DNA, no DNA at all, and the own alleles behind
    an empty question are asked once.
    """
    views = [asking.own()[place] for place in asking.test]
    answers = asking.examples["target"].iloc[asking.test].tolist()
    ways: list[tuple[str, int, list[Alleles], Any]] = []
    empty = None
    for draw in range(asking.run.task.draws):
        ways.append(("others", draw, permuted(views, answers, asking.run.seed * 1000 + draw), "own"))
        ways.append(("shuffled", draw, [shuffled_flanks(view, draw) for view in views], "own"))
        ways.append(("elsewhere", draw, [view.elsewhere(draw) for view in views], "own"))
    ways.append(("ref_as_alt", 0, [view.unvaried() for view in views], "own"))
    ways.append(("swapped", 0, [view.swapped() for view in views], "own"))
    ways.append(("mean", 0, views, asking.mean_vectors(views, asking.test)))
    if hasattr(asking.head, "bridge"):
        ways.append(("no_dna", 0, views, None))
        ways.append((EMPTY, 0, views, "own"))
        empty = [asking.words.prompt("")] * len(views)
    names, found = asking.examples["example"].iloc[asking.test].tolist(), []
    for number, (control, draw, own, vectors) in enumerate(ways, 1):
        logs = asking.ranked(own, parts, number, asking.test, vectors, empty if control == EMPTY else None)
        table = pd.DataFrame(probabilities(logs), columns=asking.classes)
        table.insert(0, "draw", draw)
        table.insert(0, "control", control)
        table.insert(0, "example", names)
        found.append(table)
    log.info("%d controls asked of %d test questions", len(ways), len(names))
    return pd.concat(found, ignore_index=True)
