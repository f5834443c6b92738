"""From a folder, a Hugging Face id or a configuration to an `Adapter`, and back to a folder."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml

from glmflow.context import extension_of, reapply
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.models import attention as attention_module
from glmflow.models.adapter import Adapter
from glmflow.models.node_disk import on_node_disk
from glmflow.models.registry import Config, Family, get_family, read_config, read_record, recognise
from glmflow.models.tokenizers import MissingTokenizer
from glmflow.models.weights import (
    file_hashes,
    lacks_head,
    load_state,
    read_extension,
    read_state,
    save_extension,
    save_state,
)

logger = logging.getLogger(__name__)

with torch.device("meta"):
    # Torch lists the functions that a device context applies to when one is first used. transformers exchanges one of them
    # (linspace) while it reads a model; a list made then would leave it on the CPU in every model built later.
    torch.empty(0)


def load(
    folder_or_id: str | os.PathLike[str],
    family: str | None = None,
    dtype: torch.dtype | str | None = None,
    attention: str = "auto",
    revision: str | None = None,
    compute_dtype: torch.dtype | str | None = None,
) -> Adapter:
    """See `glmflow.models.load_model`."""
    folder = on_node_disk(find_folder(folder_or_id, revision))
    record, config = read_record(folder), read_config(folder)
    name = family or record.get("family")
    found = get_family(name) if name else recognise(config, where=folder)
    config = found.configure(config) if found.configure else config
    dtype = as_dtype(dtype)
    compute_dtype = as_dtype(compute_dtype or dtype)
    implementation = attention_module.choose(attention, compute_dtype, found.attention)
    has_head = record.get("head", True)
    if found.load:
        network = found.load(folder, config, dtype, implementation)
        if not has_head:
            network.drop_head()
    else:
        with torch.device("meta"):
            network = found.build(config, implementation)
        state = read_state(folder)
        if found.convert and record.get("layout") != "network":
            state = found.convert(state, config)
        if has_head and lacks_head(network, state):
            logger.warning("%s has no language-model head: hidden states only, neither scores nor logits", folder)
            has_head = False
        if not has_head:
            network.drop_head()
        load_state(network, state, dtype, where=folder)
    origin = record.get("origin") or {
        "source": str(folder_or_id),
        **({"revision": revision} if revision else {}),
    }
    adapter = _adapter(found, network, config, folder, origin)
    adapter.has_head, adapter.attention, adapter.compute_dtype = has_head, implementation, compute_dtype
    if record.get("extension"):
        adapter.note_extension(reapply(network, record["extension"], read_extension(folder)))
    return adapter.eval()


def create(
    family: str,
    config: Config,
    seed: int = 0,
    attention: str = "auto",
    compute_dtype: torch.dtype | str | None = None,
) -> Adapter:
    """See `glmflow.models.new_model`."""
    found = get_family(family)
    config = found.configure(dict(config)) if found.configure else dict(config)
    implementation = attention_module.choose(attention, as_dtype(compute_dtype), found.attention)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = found.build(config, implementation)
    adapter = _adapter(found, network, config, None, {"source": "random weights", "seed": seed})
    adapter.attention, adapter.compute_dtype = implementation, as_dtype(compute_dtype)
    return adapter


def save(adapter: Adapter, folder: str | os.PathLike[str]) -> None:
    """See `glmflow.models.adapter.Adapter.save`."""
    if any(".lora_" in name for name, _ in adapter.named_parameters()):
        raise InputError(
            "the model still carries separate LoRA weights",
            mend="Fold them in with glmflow.models.lora.merge first.",
        )
    family = get_family(adapter.card.family)
    extension = extension_of(adapter)
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


def find_folder(folder_or_id: str | os.PathLike[str], revision: str | None = None) -> Path:
    """Return a checkpoint's folder: a local one, or the downloaded snapshot of a Hugging Face model.

    Raises
    ------
    InputError
        It is neither.
    """
    folder = Path(folder_or_id)
    if folder.is_dir():
        return folder
    if folder.is_absolute() or str(folder_or_id).count("/") != 1:
        raise InputError("no such checkpoint folder", where=folder_or_id, mend="Give a folder, or owner/name.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(folder_or_id), revision=revision, local_files_only=True))
    except Exception:
        raise InputError(
            "neither a folder nor a Hugging Face model that has been downloaded",
            where=folder_or_id,
            mend="Download it first where there is internet: snakemake -c1 prefetch.",
        ) from None


def as_dtype(dtype: torch.dtype | str | None) -> torch.dtype:
    """Return a floating-point type from itself, its name, or None (float32)."""
    if isinstance(dtype, torch.dtype):
        return dtype
    found = {
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
        "bf16": torch.bfloat16,
        "float16": torch.float16,
    }
    if (dtype or "float32") not in found:
        raise InputError(f"unknown dtype {dtype!r}", mend=f"Choose one of {', '.join(found)}.")
    return found[dtype or "float32"]


def _adapter(family: Family, network: Any, config: Config, folder: Path | None, origin: dict[str, Any]) -> Adapter:
    """Put a family's parts together; the card learns what only the tokenizer knows."""
    card, tokenizer = family.card(config), family.tokenizer(config, folder)
    if tokenizer is not None and tokenizer.bases is not None and tokenizer.bases.shape[1] == 1 != card.bases_per_token:
        special = len(tokenizer.prefix) + len(tokenizer.suffix)
        card = replace(card, bases_per_token=1, context_bp=card.context_tokens and card.context_tokens - special)
    if tokenizer is not None and tokenizer.bases is None and not isinstance(tokenizer, MissingTokenizer):
        reason = "its tokens do not sit on a grid of bases; compare the log_likelihood of both alleles"
        card = replace(card, cannot={"base_probabilities": reason, **card.cannot})
    return (family.adapter or Adapter)(network, card, config, tokenizer, origin=origin)
