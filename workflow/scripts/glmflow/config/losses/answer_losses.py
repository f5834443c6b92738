"""Losses on answers in words."""

from __future__ import annotations

from typing import Literal

from ..blocks import LossBlock


class AnswerTokens(LossBlock):
    """Cross-entropy of the tokens of the answer and of its end, nothing of the question (of a classifier: of the class)."""

    kind: Literal["answer_tokens"]
    target = "answer_text"
    default = True
