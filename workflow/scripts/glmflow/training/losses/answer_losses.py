"""Losses on answers in words: `prediction` are log probabilities of their tokens, `[S, T]`, `weight` how much each counts."""

from __future__ import annotations


def answer_tokens(prediction, weight):
    """Return the negative log probability of a token, the mean over all by their weights."""
    return -(prediction * weight).sum() / weight.sum().clamp(min=1e-8)


LOSSES = {"answer_tokens": lambda fitted: answer_tokens}
