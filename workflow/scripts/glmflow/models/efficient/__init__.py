"""Ways to train few new parameters of a model that stays as it is otherwise, a file each: `apply` adds them to a model.

What a study says of them, and what they cost, is in `glmflow.config.efficient`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from glmflow.modules import module

if TYPE_CHECKING:
    from glmflow.models.adapted_layers import Coverage
    from glmflow.models.adapter import Adapter


def apply(kind: str, adapter: Adapter, settings: Mapping[str, Any]) -> Coverage:
    """Freeze a model and add the parameters of a kind of adaptation to it, in place; return what is trained.

    Parameters
    ----------
    kind
        Name of a file of this folder.
    settings
        What its `apply` takes beside the model.
    """
    return module(__name__, kind).apply(adapter, **settings)
