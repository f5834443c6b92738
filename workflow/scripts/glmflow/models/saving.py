"""Writing a model folder that `glmflow.models.load_model` reads again."""

from __future__ import annotations

import json
import os

import yaml

from glmflow.context import extension_of
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.models.interface import Model
from glmflow.models.registry import get_family
from glmflow.models.weights import file_hashes, save_extension, save_state

LEARNED_FROM = (
    *("corpus", "excluded", "kept_eukaryotic_viruses", "gate_required", "objective", "tagged_by"),
    *("ends", "text", "row"),
)
"""What a model's record goes on saying of its pretraining, whatever is made of the model."""


def save(adapter: Model, folder: str | os.PathLike[str]) -> None:
    """See `glmflow.models.adapter.Adapter.save`."""
    if any(".base_layer." in name for name, _ in adapter.network.named_parameters()):
        raise InputError(
            "the model still carries adapted layers beside its own weights",
            fix="Fold them in with glmflow.models.adapted_layers.merge first.",
        )
    family = get_family(adapter.card.family)
    extension = extension_of(adapter.network)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        if family.save:
            family.save(adapter.network, temporary)
        else:
            save_state(adapter.network, temporary)
        (temporary / "config.json").write_text(json.dumps(adapter.config, indent=1, sort_keys=True) + "\n")
        if adapter.tokenizer is not None:
            adapter.tokenizer.save(temporary)
        record = {
            "family": adapter.card.family,
            "tokenizer": type(adapter.tokenizer).__name__ if adapter.tokenizer is not None else None,
            "context_bp": adapter.card.context_bp,
            "position_embedding": adapter.card.position_embedding,
            "head": adapter.has_head,
            "layout": "network",
            "sha256": file_hashes(temporary),
            "origin": adapter.origin,
        }
        if extension is not None:
            record["extension"] = extension.settings
            save_extension(adapter.network, temporary)
        (temporary / "model.yaml").write_text(yaml.safe_dump(record, sort_keys=False))
