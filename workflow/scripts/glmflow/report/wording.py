"""How metrics are declared and written: label, direction, level, explanation. Nothing is guessed from a metric's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Direction = Literal["higher", "lower", "none"]


class Words(NamedTuple):
    """Declaration of a metric: what it is called, which direction is better, what it is computed over, what it means.

    Attributes
    ----------
    label
        Its name for reading.
    direction
        `higher` or `lower` is better; `none` for a fact of the data or a count, at which no run is best.
    level
        A key of the kind's `LEVELS`.
    explanation
        Whole sentences: unit, n, what is good.
    count
        Whether values are whole numbers.
    """

    label: str
    direction: Direction
    level: str
    explanation: str = ""
    count: bool = False


class Level(NamedTuple):
    """What metrics are computed over: heading, phrase within a sentence, explanation, and the unit that `n` counts."""

    title: str
    phrase: str
    explanation: str
    unit: str = "examples"


NOT_DECLARED = Level(
    "Not declared", "", "The kind of task declares no such metric: no direction is known, and no run is best."
)
EXAMPLE = Level("Per example", "per example", "One value an example of the task.")


@dataclass(frozen=True)
class Metric:
    """A metric as it is shown: its declaration, with its name and its level's words."""

    name: str
    words: Words
    level: Level
    declared: bool = True

    @property
    def label(self) -> str:
        """Its name for reading."""
        return self.words.label

    @property
    def title(self) -> str:
        """Label and level, as they stand in a sentence."""
        return f"{self.words.label} {self.level.phrase}".strip()

    @property
    def ranks(self) -> bool:
        """Whether one run can be better at it than another."""
        return self.words.direction != "none"

    @property
    def sign(self) -> int:
        """1 if higher is better, -1 if lower is, 0 if neither."""
        return {"higher": 1, "lower": -1, "none": 0}[self.words.direction]


QUANTITIES = {
    "loss": Words("training loss", "lower", "training"),
    "eval_loss": Words("validation loss", "lower", "training"),
    "cross_entropy": Words("cross-entropy", "lower", "training"),
    "bits_per_base": Words("bits per base", "lower", "training"),
    "perplexity": Words("perplexity", "lower", "training"),
    "base_kl": Words("KL divergence per base", "lower", "training"),
    "learning_rate": Words("learning rate", "none", "training"),
    "grad_norm": Words("norm of the gradient", "none", "training"),
    "samples_per_second": Words("samples per second", "none", "training"),
    "memory_mb": Words("memory (MB)", "none", "training"),
    "epoch": Words("epoch", "none", "training"),
}
"""What training logs whatever the kind of task; a kind declares the rest."""

STAGES = {"eval_": "validation", "test_": "test"}
"""Prefixes of logged metrics, and the split that they are of."""

ARROWS = {"higher": "higher is better", "lower": "lower is better", "none": ""}


READ_AS_WORDS = {
    "all",
    "any",
    "baseline",
    "best",
    "both",
    "first",
    "last",
    "model",
    "models",
    "no",
    "none",
    "nothing",
    "other",
    "the",
}
"""Names that a sentence would swallow."""


def named(label: object) -> str:
    """Return a run or model as it stands in a sentence: in quotes where its name is a word of its own."""
    text = str(label)
    return f"“{text}”" if text.split(" ")[0].lower() in READ_AS_WORDS else text


def number(value: float | None, *, is_count: bool = False) -> str:
    """Return a number for reading: three decimals, fewer if it is large, `–` if there is none."""
    if value is None or value != value:
        return "–"
    if value < 0:
        return f"−{number(-value, is_count=is_count)}"
    if is_count or value >= 1000:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if 0 < value < 0.001:
        return f"{value:.1e}"
    return f"{value:.3f}"


def signed(value: float) -> str:
    """Return a number for reading, with its sign."""
    return f"+{number(value)}" if value >= 0 else number(value)
