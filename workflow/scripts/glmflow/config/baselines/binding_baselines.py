"""Baselines of the binding of TFs to regions in cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ..base import Positive
from ..blocks import BaselineBlock

TARGET = "region_key_binding"
TRUTH = {"truth": "the truth is known of simulated data alone"}
OTHERS = "the labels of training keys in the test regions"


class KeyPrevalence(BaselineBlock):
    """The share of regions that training keys bind, for every region."""

    kind: Literal["key_prevalence"]
    target = TARGET


class RegionWidth(BaselineBlock):
    """The width of a region: what merging peaks gives away."""

    kind: Literal["region_width"]
    target = TARGET


class RegionComposition(BaselineBlock):
    """Logistic regression of how many keys bind a region on GC, CpG and width."""

    kind: Literal["region_composition"]
    target = TARGET


class PredictedFrequency(BaselineBlock):
    """Ridge regression of how many training keys bind a region on all motifs: what any key would bind."""

    kind: Literal["predicted_frequency"]
    target = TARGET

    alpha: Annotated[float, Field(gt=0)] = Field(100.0, description="L2 penalty.")


class KnownFrequency(BaselineBlock):
    """The share of training keys that bind a test region."""

    kind: Literal["known_frequency"]
    target = TARGET
    told = OTHERS


class KnownTfMean(BaselineBlock):
    """The mean label of the TF's training keys in a test region; of all keys for a new TF."""

    kind: Literal["known_tf_mean"]
    target = TARGET
    told = OTHERS


class KnownCellMean(BaselineBlock):
    """The mean label of the cell's training keys in a test region; of all keys for a new cell."""

    kind: Literal["known_cell_mean"]
    target = TARGET
    told = OTHERS


class KnownTfCellMean(BaselineBlock):
    """The product of both means, of the TF's and of the cell's training keys in a test region."""

    kind: Literal["known_tf_cell_mean"]
    target = TARGET
    told = OTHERS


class BestMotif(BaselineBlock):
    """The best log-odds of the TF's motifs, over both strands; `corrected`: less what width and GC make expect."""

    kind: Literal["best_motif"]
    target = TARGET

    corrected: bool = Field(False, description="Subtract the score expected of a region of this width and GC.")


class MotifExpression(BaselineBlock):
    """Occupancy of the TF's best site times how far its gene is expressed in the cell."""

    kind: Literal["motif_expression"]
    target = TARGET


class ReadsAccessibility(BaselineBlock):
    """What baselines have in common that read accessibility, unless they predict it."""

    target = TARGET

    proxy: bool = Field(False, description="Predict accessibility from motifs and expression instead of reading it.")

    @property
    def needs(self) -> Mapping[str, str]:  # type: ignore[override]
        """What the task has to have beside its target."""
        text = "no accessibility is measured: give bigWigs (`accessibility`), or say `proxy: true`"
        return {} if self.proxy else {"accessibility": text}


class CellAccessibility(ReadsAccessibility):
    """Accessibility of the region in the cell; `proxy`: predicted from sites of TFs that the cell expresses."""

    kind: Literal["cell_accessibility"]


class MotifAccessibility(ReadsAccessibility):
    """Occupancy of the TF's best site times accessibility; `proxy`: as above."""

    kind: Literal["motif_accessibility"]


class NearestKey(BaselineBlock):
    """The logistic regression of the nearest training key on motifs and composition; `by` says which is near."""

    kind: Literal["nearest_key"]
    target = TARGET

    by: Literal["tf", "cell"] = Field(
        "tf",
        description="`tf`: the most similar motif, then expression; `cell`: the nearest cell, same TF if it has it.",
    )


class PooledLogistic(BaselineBlock):
    """Logistic regression of all keys together on the motif, the region, the TF's expression and accessibility."""

    kind: Literal["pooled_logistic"]
    target = TARGET

    accessibility: bool = Field(True, description="Read accessibility where it is measured.")
    tf: bool = Field(
        True,
        description="Read the TF's motif and expression; without, it is what the region and the cell alone say: where a control "
        "that gives TFs the motifs of others has to fall to.",
    )


class PooledBoosting(BaselineBlock):
    """Gradient boosting on the same numbers and those of related motifs."""

    kind: Literal["pooled_boosting"]
    target = TARGET

    accessibility: bool = Field(True, description="Read accessibility where it is measured.")
    trees: Positive = Field(150, description="Trees.")
    rows: Positive = Field(
        400_000, description="Rows (key and region) that are learned from, drawn where there are more."
    )


class TwoTower(BaselineBlock):
    """Product of a linear map of the region and one of the key (motif similarities, components of the cell)."""

    kind: Literal["two_tower"]
    target = TARGET

    rank: Positive = Field(16, description="Width of both maps.")
    steps: Positive = Field(400, description="Steps of Adam.")


class BindingTruth(BaselineBlock):
    """The probabilities that simulated labels are drawn from: what no model can exceed by more than chance."""

    kind: Literal["binding_truth"]
    target = TARGET
    needs = TRUTH
    told = "the probabilities of the simulation"
