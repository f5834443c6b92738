"""A `Network` around one of transformers' own classes: published files are read by transformers itself,
strictly.

Nothing but classes of the installed transformers is run: a checkpoint's ``auto_map`` is not looked at.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from glmflow.errors import InputError
from glmflow.models.attention import FLASH_DTYPES, computed_in
from glmflow.models.interface import Network
from glmflow.models.packed_rows import here
from glmflow.models.registry import Config, read_record
from glmflow.models.weights import EXTENSION_FIELD, is_wrapped, read_state, unreadable

if TYPE_CHECKING:
    from transformers import DynamicCache, PretrainedConfig, PreTrainedModel

OLD_BUFFERS = r"\.position_ids$|inv_freq$"
"""Tensors that older versions of transformers stored and the present one computes."""


class HuggingFaceNetwork(Network):
    """A transformers model with a language-model head.

    Parameters
    ----------
    model
        The model; its ``base_model`` gives the states.
    head
        Names of the submodules that turn states into logits, in their order.
    unused
        Names of submodules that neither states nor logits need (poolers, contact heads); they are removed.
    """

    takes_positions = True

    def __init__(self, model: PreTrainedModel, head: tuple[str, ...], unused: tuple[str, ...] = ()):
        super().__init__()
        self.model = model
        self.model.config.use_cache = False
        if getattr(model.config, "local_attention", None) or getattr(model.config, "sliding_window", None):
            self.takes_positions = False  # layers of local attention would be given the skips too
        self.head = head
        self.head_names = tuple(f"model.{name}" for name in head)
        self.causal = "CausalLM" in type(model).__name__
        self.continues = self.packs = self.causal and self.takes_positions
        self.attention = model.config._attn_implementation
        for name in unused:
            owner, _, last = name.rpartition(".")
            setattr(model.get_submodule(owner), last, None)

    def states(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, position_ids: Tensor | None = None
    ) -> Tensor:
        """``int64[B, T]`` to ``[B, T, D]``."""
        if attention_mask is not None and self.causal and padded_on_the_right(attention_mask):
            attention_mask = None  # no token sees what is to its right; an [L, L] mask would only cost memory
        if (records := here()) is not None:
            position_ids, attention_mask = records.places, records.seen.tril()
        elif position_ids is not None and attention_mask is None:
            attention_mask = torch.ones_like(input_ids)  # or transformers takes every skip for a new sequence
        self._attend_as_the_type_allows()
        inputs = {"attention_mask": attention_mask, "position_ids": position_ids}
        return self.model.base_model(input_ids, **inputs).last_hidden_state

    def remember(self, input_ids: Tensor) -> tuple[Tensor, DynamicCache]:
        """Return the states of a batch ``[B, T, D]``, and the keys and values of its attention."""
        from transformers import DynamicCache

        cache = DynamicCache()
        return self._states_and_cache(input_ids, cache), cache

    def go_on(self, memory: DynamicCache, rows: Tensor, at: int, input_ids: Tensor) -> Tensor:
        """Return the states ``[n, S, D]`` of sequences that share their first `at` tokens with `rows` of that batch."""
        from transformers import DynamicCache

        shared = [(layer.keys[rows, :, :at], layer.values[rows, :, :at]) for layer in memory.layers]
        return self._states_and_cache(input_ids, DynamicCache(shared))

    def begin(self, input_ids: Tensor, room: int) -> tuple[Tensor, DynamicCache]:
        """Return the states of a batch ``[B, T, D]``, and the keys and values of its attention, which grow by themselves."""
        return self.remember(input_ids)

    def step(self, memory: DynamicCache, at: int, input_ids: Tensor) -> Tensor:
        """Return the states ``[B, S, D]`` of the next tokens; their keys and values are kept too."""
        return self._states_and_cache(input_ids, memory)

    def _states_and_cache(self, input_ids: Tensor, cache: DynamicCache) -> Tensor:
        """Return the states of tokens behind those of a cache, to which they are added."""
        self._attend_as_the_type_allows()
        body = self.model.base_model
        name = "cache" if "cache" in inspect.signature(body.forward).parameters else "past_key_values"  # its older name
        return body(input_ids, use_cache=True, **{name: cache}).last_hidden_state

    def logits(self, states: Tensor) -> Tensor:
        """``[B, T, D]`` to ``[B, T, V]``."""
        for name in self.head:
            states = getattr(self.model, name)(states)
        return states

    def _attend_as_the_type_allows(self) -> None:
        """Where flash-attention 2 was chosen, take it in half precision only (in training under autocast), else SDPA;
        SDPA of packed rows too.

        An attention form of context extension (`glmflow.context.attention_forms`) is left as it is.
        """
        present = self.model.config._attn_implementation
        if self.attention == "flash_attention_2" and present in ("flash_attention_2", "sdpa"):
            weight = next(parameter for parameter in self.model.parameters() if parameter.is_floating_point())
            half = computed_in(weight) in FLASH_DTYPES
            wanted = "flash_attention_2" if half and here() is None else "sdpa"
            if wanted != present:
                self.model.set_attn_implementation(wanted)

    def set_gradient_checkpointing(self, on: bool) -> None:
        """Switch gradient checkpointing on or off."""
        self.gradient_checkpointing = on
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of a new name, which the oldest release we allow lacks
            if on:
                self.model.gradient_checkpointing_enable({"use_reentrant": False})
            else:
                self.model.gradient_checkpointing_disable()


def padded_on_the_right(attention_mask: Tensor) -> bool:
    """Whether each row is tokens first and padding after them."""
    return bool((attention_mask[:, 1:] <= attention_mask[:, :-1]).all())


def random_model(kind: type[PreTrainedModel], config: PretrainedConfig, attention: str) -> PreTrainedModel:
    """Return a model of a transformers class with random weights in float32."""
    with _quiet():
        return kind._from_config(config, attn_implementation=attention, dtype=torch.float32)


def read_model(
    kind: type[PreTrainedModel],
    config: PretrainedConfig,
    folder: Path,
    dtype: torch.dtype,
    attention: str,
    *,
    ignore: str = "$^",
    head: tuple[str, ...] = (),
    state: dict[str, Tensor] | None = None,
) -> PreTrainedModel:
    """Read a checkpoint folder into a transformers class; nothing may be missing or left over.

    Parameters
    ----------
    kind, config
        The class and its configuration.
    folder
        The checkpoint.
    dtype, attention
        Type of the weights, attention implementation.
    ignore
        Regular expression of tensor names that may be missing from the file or left over in it, beside
        `OLD_BUFFERS`.
    head
        Names of the head's submodules, which a model folder saved without its head lacks.
    state
        Tensors by the names of the transformers class, instead of the folder's files.

    Raises
    ------
    InputError
        Weights are missing, left over, or of another shape.
    """
    if head and not read_record(folder).get("head", True):
        ignore += "|" + "|".join(rf"^{name}\." for name in head)
    if state is None and is_wrapped(folder):
        state = read_state(folder)
    source = folder if state is None else None
    try:
        with _quiet():
            model, report = kind.from_pretrained(
                source,
                config=config,
                state_dict=state,
                dtype=dtype,
                attn_implementation=attention,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused below, by name
                local_files_only=True,
            )
    except Exception as error:  # of transformers, PyTorch or safetensors
        raise unreadable(folder, error) from error
    allowed = re.compile(f"{OLD_BUFFERS}|{ignore}")
    found = {
        "missing": [name for name in report["missing_keys"] if not allowed.search(name)],
        "unexpected": [name for name in report["unexpected_keys"] if not allowed.search(name)],
        "of another shape": [key if isinstance(key, str) else key[0] for key in report.get("mismatched_keys", ())],
    }
    problems = [f"{len(names)} {kind} (first: {sorted(names)[0]})" for kind, names in found.items() if names]
    if problems:
        raise InputError(
            f"weights do not fit the configuration: {', '.join(problems)}",
            where=folder,
            fix="Check that config.json and weights belong together and that the family is right.",
        )
    _frequencies_in_float32(model, config)
    return model


def save_model(network: HuggingFaceNetwork, folder: Path) -> None:
    """Write the weights under the names of published checkpoints."""
    state = {name: tensor for name, tensor in network.model.state_dict().items() if EXTENSION_FIELD not in name}
    with _quiet():
        network.model.save_pretrained(folder, state_dict=state)


def without(config: Config, *keys: str) -> dict[str, Any]:
    """Return the configuration without keys that are ours or that name files of remote code."""
    return {key: value for key, value in config.items() if key not in ("auto_map", "architectures", *keys)}


def _frequencies_in_float32(model: PreTrainedModel, config: PretrainedConfig) -> None:
    """Compute rotary frequencies again where they were stored, or converted with the weights, in a shorter
    type.
    """
    for module in model.modules():
        frequencies = getattr(module, "inv_freq", None)
        if frequencies is not None and frequencies.dtype != torch.float32:
            module.inv_freq = module.compute_default_rope_parameters(config)[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing progress bars and reports: what does not fit is an error of ours."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
