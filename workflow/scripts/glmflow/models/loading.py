"""From a folder, a Hugging Face id or a configuration to an `Adapter`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from glmflow.context import reapply
from glmflow.context.patch import FIELD
from glmflow.errors import InputError
from glmflow.models import attention as attention_module
from glmflow.models.adapter import Adapter
from glmflow.models.node_disk import on_node_disk
from glmflow.models.registry import Config, Family, get_family, read_config, read_record, recognise
from glmflow.models.tokenizers import MissingTokenizer
from glmflow.models.weights import SHOWN, check_hashes, lacks_head, load_state, read_extension, read_state, unreadable

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
    with of_checkpoint(folder):
        found = get_family(str(name)) if name else recognise(config, where=folder)
        config = found.configure(config) if found.configure else config
    dtype = as_dtype(dtype)
    compute_dtype = as_dtype(compute_dtype or dtype)
    implementation = attention_module.choose(attention, compute_dtype, found.attention)
    has_head = record.get("head", True)
    with of_checkpoint(folder):
        if found.load:
            network = found.load(folder, config, dtype, implementation)
            if not has_head:
                network.drop_head()
        else:
            with torch.device("meta"), _NotFilled():
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
    check_hashes(folder, record)
    return adapter.eval()


class _NotFilled(TorchFunctionMode):
    """Leaves out normal initial weights, which a meta tensor cannot hold: torch would load its compiler to draw them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.init.normal_:
            return args[0] if args else kwargs["tensor"]
        if func is torch.Tensor.normal_:
            return args[0]
        return func(*args, **(kwargs or {}))


MISFIT = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(RuntimeError, StopIteration, TypeError, ValueError),
)
"""What a family raises where a value of the configuration is missing, of another type, or does not fit the others."""


@contextmanager
def of_checkpoint(folder: Path) -> Iterator[None]:
    """Turn what a damaged file of a checkpoint makes its readers raise into one line that names the folder."""
    try:
        yield
    except InputError as error:
        if error.where in (None, "config.json"):
            place = folder if error.where is None else folder / error.where
            raise type(error)(error.what, where=place, fix=error.fix) from error
        raise
    except MISFIT as error:
        text = " ".join(str(error).split())[:SHOWN]
        raise InputError(
            f"its configuration, weights or tokenizer cannot be used ({type(error).__name__}: {text})",
            where=folder,
            fix="Check config.json, or download the checkpoint again.",
        ) from error
    except Exception as error:  # transformers and tokenizers raise classes of their own
        if type(error).__module__.partition(".")[0] in ("glmflow", "builtins") and type(error) is not Exception:
            raise
        raise unreadable(folder, error) from error


def create(
    family: str,
    config: Config,
    seed: int = 0,
    attention: str = "auto",
    compute_dtype: torch.dtype | str | None = None,
    vocabulary: Path | None = None,
) -> Adapter:
    """See `glmflow.models.new_model`."""
    found = get_family(family)
    implementation = attention_module.choose(attention, as_dtype(compute_dtype), found.attention)
    with of_settings(family), torch.random.fork_rng(devices=[]):
        config = found.configure(dict(config)) if found.configure else dict(config)
        torch.manual_seed(seed)
        network = found.build(config, implementation)
        adapter = _adapter(found, network, config, vocabulary, {"source": "random weights", "seed": seed})
    adapter.attention, adapter.compute_dtype = implementation, as_dtype(compute_dtype)
    return adapter


def without_weights(family: str, config: Config) -> Adapter:
    """Return a model that takes no memory (its weights are on torch's `meta` device): which parts it has, and whether they fit.

    Raises
    ------
    InputError
        No network of the family can be made with the configuration.
    """
    found = get_family(family)
    with of_settings(family):
        settings = found.configure(dict(config)) if found.configure else dict(config)
        with torch.device("meta"), _NotFilled():
            network = found.build(settings, attention_module.choose("auto", torch.float32, found.attention))
        return _adapter(found, network, settings, None, {})


@contextmanager
def of_settings(family: str) -> Iterator[None]:
    """Turn what a family raises of settings of which no network can be made into one line that names the family."""
    try:
        yield
        return
    except KeyError as error:
        text = f"it has no {error.args[0]!r}" if error.args else "a key is missing"
        raised: Exception = error
    except MISFIT as error:
        text, raised = " ".join(str(error).split())[:SHOWN] or type(error).__name__, error
    raise InputError(text, where=family, fix="Change `config`.") from raised


def with_random_weights(adapter: Adapter, seed: int) -> Adapter:
    """Return a model with the weights that `create` gives its configuration; tokenizer and extended context stay.

    Raises
    ------
    InputError
        The family builds a network of other parts than the checkpoint has.
    """
    made = create(adapter.card.family, adapter.config, seed).network.state_dict()
    # Frequencies of rotary positions are no weights, and an extension has changed them.
    state = {name: value for name, value in made.items() if not name.endswith("inv_freq")}
    missing = [
        name
        for name in adapter.network.load_state_dict(state, strict=False).missing_keys
        if FIELD not in name and not name.endswith("inv_freq")
    ]
    if missing:
        raise InputError(f"{adapter.card.family}: no random weights for {missing[0]}", where="adaptations.*.weights")
    adapter.origin = {"source": "random weights", "seed": seed}
    return adapter


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
        raise InputError("no such checkpoint folder", where=folder_or_id, fix="Give a folder, or owner/name.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(str(folder_or_id), revision=revision, local_files_only=True))
    except Exception:
        raise InputError(
            "neither a folder nor a Hugging Face model that has been downloaded",
            where=folder_or_id,
            fix="Download it first where there is internet: snakemake -c1 prefetch.",
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
        "fp16": torch.float16,
    }
    if (dtype or "float32") not in found:
        raise InputError(f"unknown dtype {dtype!r}", fix=f"Choose one of {', '.join(found)}.")
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


def require_head(adapter: Adapter, folder: Path | None, purpose: str) -> None:
    """Refuse a model without the head that says which base is how likely.

    Parameters
    ----------
    folder
        Its folder, for the message.
    purpose
        What it is asked for: `draw from`, `score with`.

    Raises
    ------
    InputError
        The head was dropped when it was tuned, or the checkpoint has none.
    """
    if not adapter.has_head:
        fix = (
            "Give the checkpoint or pretrained model (results/STUDY/models/MODEL/seedN), not a tuned run: that keeps the head of "
            "its task alone."
        )
        raise InputError(f"no language-model head to {purpose}", where=folder, fix=fix)
