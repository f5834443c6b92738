"""Baselines of what is drawn: sequences of a chain that knows a few bases, and what a look-up makes of genes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..blocks import BaselineBlock

CORPUS = {"corpus": "it learns from a corpus, and the task names none (`corpus`)"}


class MarkovChain(BaselineBlock):
    """Bases drawn from counts of what follows the last `order` bases of the training sequences."""

    kind: Literal["markov_chain"]
    target = ("drawn_bases", "completed_gene")
    needs = CORPUS

    order: Annotated[int, Field(ge=0, le=11)] = Field(5, description="Bases looked back.")


class NearestProtein(BaselineBlock):
    """The training protein that shares most with the given residues, of open frames of 300 nt and more: a look-up."""

    kind: Literal["nearest_protein"]
    target = "completed_gene"
    needs = CORPUS


class ShuffledProtein(BaselineBlock):
    """The residues of the true protein in another order: what its composition is worth."""

    kind: Literal["shuffled_protein"]
    target = "completed_gene"
    told = "which residues the true protein has, in another order"
