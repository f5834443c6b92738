"""Names of the scores of variants, and the models that have each; what they are is in `glmflow.effects`, which needs torch."""

from __future__ import annotations

from typing import Literal

OBJECTIVES: dict[str, str | None] = {
    **dict.fromkeys(("llr", "llr_marginal"), "masked"),
    "next": "causal",
    "pll": "masked",
    **dict.fromkeys(("ll", "ll_allele", "ll_flank"), "causal"),
    **dict.fromkeys(("flank", "influence"), "masked"),
    **dict.fromkeys(("l1_mean", "l2_mean", "cosine_mean", "l2_flat", "l2_site"), None),
}
"""The objective of the models that have a score; None: every model."""

Score = Literal[*OBJECTIVES]
