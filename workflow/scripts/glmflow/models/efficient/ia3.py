"""IA3 (Liu et al. 2022, Few-shot parameter-efficient fine-tuning): a learned factor for each channel of some activations.

Keys and values of attention are multiplied by a vector each, and so is what the second layer of each feed-forward network
reads. The facts of a family (`ia3`) name these layers. Vectors start at one: the model as it is. Where queries, keys and
values come out of one layer, queries are scaled too, as in peft's own settings of such models (GPT-2, BLOOM); of a head that
is the same function, for a channel of the queries meets that of the keys alone.
"""

from __future__ import annotations

import re

from glmflow.errors import InputError
from glmflow.models.adapted_layers import NAME, Coverage, coverage, require_gradients
from glmflow.models.adapter import Adapter
from glmflow.models.facts import facts_of

OTHERWISE = "Take kind lora."


def apply(adapter: Adapter) -> Coverage:
    """Freeze a model and add a vector of ones to each of the layers that IA3 scales, in place.

    Raises
    ------
    InputError
        The model has no attention, none of the layers that its family names, or one that gets no gradient.
    """
    from peft import IA3Config, inject_adapter_in_model

    family = adapter.card.family
    facts = facts_of(family)
    if facts.without_ia3:
        raise InputError(facts.without_ia3, fix=OTHERWISE)
    names = [name for name, _ in adapter.network.named_modules()]
    attention, inner = (_ending_with(names, facts.ia3.get(key, [])) for key in ("attention", "feedforward"))
    if not attention:
        raise InputError(
            f"IA3 finds no layer {' or '.join(facts.ia3['attention'])} in a model of the family {family}", fix=OTHERWISE
        )
    inject_adapter_in_model(
        IA3Config(target_modules=attention + inner, feedforward_modules=inner), adapter.network, adapter_name=NAME
    )
    require_gradients(adapter, lambda layer: layer.ia3_l[NAME], "IA3", OTHERWISE)
    for layer in adapter.network.modules():
        if hasattr(layer, "ia3_l"):
            layer.ia3_l[NAME]._no_weight_decay = True  # a factor of one changes nothing, of zero all
    return coverage(adapter, "ia3")


def _ending_with(names: list[str], endings: list[str]) -> list[str]:
    """Return the names of layers that end with one of some patterns, from a dot or the beginning on."""
    pattern = re.compile(rf"(.*\.)?({'|'.join(endings)})") if endings else None
    return [name for name in names if pattern and pattern.fullmatch(name)]
