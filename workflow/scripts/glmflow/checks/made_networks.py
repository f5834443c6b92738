"""Whether the networks of models that a study makes itself can be built, and have the layers that are named: before any job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from glmflow.config import Study
from glmflow.config.adaptations import Adaptation
from glmflow.config.base import Place
from glmflow.errors import InputError

if TYPE_CHECKING:
    from glmflow.models import Adapter


def unbuilt(study: Study) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with models made here that only their network shows, with the place in the study.

    These are settings (`config`) of which no network of the family can be made, `targets` of LoRA that no layer is called, and
    a head that reads a token (`pool: cls`) which the family puts nowhere. The network has no memory, so that one of any size
    takes a moment. A vocabulary that is made with a model is taken as large as it may become.
    """
    from glmflow.models.loading import without_weights

    built: dict[str, Adapter] = {}
    for label, model in study.models.items():
        block = model.made
        if block is None:
            continue
        tokens = model.pretrain and model.pretrain.tokens
        try:
            built[label] = without_weights(block.family, block.config | ({"vocab_size": tokens} if tokens else {}))
        except InputError as error:
            place = ("models", label, model.origin, "config")
            yield (
                place,
                f"no network of family {block.family} can be made of it: {error.what}. {error.fix or ''}".rstrip(),
            )
    for label, model in dict.fromkeys((run.adaptation, run.model) for run in study.expanded[0]):
        if model in built:
            for key, text in _missing_parts(study.adaptations[label], built[model]):
                yield ("adaptations", label, *key), f"{model}: {text}"


def _missing_parts(adaptation: Adaptation, model: Adapter) -> Iterator[tuple[Place, str]]:
    """Yield what an adaptation asks of a model that it does not have: layers to adapt, a token before a sequence."""
    from glmflow.models.efficient.lora import missing_layers

    if missing := missing_layers(model, adaptation.targets or ()):
        own = ", ".join(model.card.lora_targets)
        yield ("targets",), f"no layer {' or '.join(missing)}; the own targets of its family are {own}"
    if adaptation.head and adaptation.head.model_dump().get("pool") == "cls":
        try:
            model.require_token_before()
        except InputError as error:
            yield ("head", "pool"), f"{error.what}. {error.fix}"
