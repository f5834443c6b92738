"""What is predicted from what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import Block, Fraction, Label, Positive


class Windows(Block):
    """Overlapping windows along the reference; the last one ends flush with its contig."""

    size: Positive = Field(32_768, description="Window length in bp.")
    overlap: Annotated[int, Field(ge=0)] = Field(16_384, description="Bases shared by neighbouring windows.")
    max_n_fraction: Fraction = Field(0.1, description="Windows with a larger share of N are left out (and counted).")

    @model_validator(mode="after")
    def _step(self) -> Windows:
        if self.overlap >= self.size:
            raise ValueError(
                f"overlap {self.overlap} is not smaller than size {self.size}: no window would ever advance; use half the size"
            )
        return self


class Scaling(Block):
    """Targets are divided by the track's mean over non-zero training bases, squashed and soft-clipped."""

    squash: bool = Field(True, description="Raise to the power 0.75 (RNA-seq).")
    soft_clip: Annotated[float, Field(gt=0)] = Field(10.0, description="Values above grow as a square root.")


class RnaseqTracks(Block):
    """Per-base coverage from windows of sequence."""

    kind: Literal["rnaseq_tracks"]
    windows: Windows = Field(default_factory=Windows, description="Windows along the reference.")
    tracks: list[Label] | None = Field(None, description="Tracks to predict together; all where left out.")
    scaling: Scaling = Field(default_factory=Scaling, description="Scaling of the targets.")
    loss: Literal["mse", "poisson", "tweedie", "poisson_multinomial"] = Field(
        "mse", description="Training loss on scaled targets."
    )
    tweedie_power: Annotated[float, Field(gt=1, lt=2)] = Field(1.2, description="Power of the Tweedie loss.")
    trim: Annotated[int, Field(ge=0)] = Field(100, description="Bases at each end of a window that are not scored.")
    bootstrap: Positive = Field(200, description="Bootstrap draws behind each interval.")

    @model_validator(mode="after")
    def _trim(self) -> RnaseqTracks:
        if 2 * self.trim > self.windows.overlap:
            raise ValueError(
                f"trim {self.trim} at both ends is more than the overlap {self.windows.overlap}: bases between windows "
                "would never be scored; lower trim or raise the overlap"
            )
        return self


Task = Annotated[RnaseqTracks, Field(discriminator="kind")]
