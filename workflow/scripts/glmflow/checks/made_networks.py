"""Whether the networks of models that a study makes itself can be built: sizes that do not fit are said before any job."""

from __future__ import annotations

from collections.abc import Iterator

from glmflow.config import Study
from glmflow.config.base import Place
from glmflow.config.models import New, Pretrain


def unbuilt(study: Study) -> Iterator[tuple[Place, str]]:
    """Yield the `config` of models made here with which their family's network cannot be built, with the reason.

    The network has no memory (torch's `meta` device), so that one of any size takes a moment. Models that learn byte pairs
    are left out: their configuration is known when these are learned.
    """
    from glmflow.models.loading import cannot_be_built

    for label, model in study.models.items():
        block: New | Pretrain | None = model.new or model.pretrain
        if block is None or (model.pretrain and model.pretrain.byte_pairs):
            continue
        if reason := cannot_be_built(block.family, block.config):
            origin = "new" if model.new else "pretrain"
            yield (
                ("models", label, origin, "config"),
                f"no network of family {block.family} can be made of it: {reason}",
            )
