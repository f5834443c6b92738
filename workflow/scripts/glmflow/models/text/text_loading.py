"""Causal text models: from a folder with transformers' own classes, or small ones made here. Never code of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from glmflow.errors import InputError

from .conversation import ASSISTANT, END, START

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

SPECIAL = ("<|endoftext|>", START, END, "<think>", "</think>")
"""First ids of a tokenizer that is made here."""
MARKERS = (START, END, "<think>", "</think>")


class TextTokenizer(NamedTuple):
    """A tokenizer of text, as far as conversations need it."""

    tokenizer: Tokenizer

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; markers of conversations are single ids."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, markers among them."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=False)

    @property
    def end(self) -> int:
        """Return the id that ends an answer."""
        return self.tokenizer.token_to_id(END)

    @property
    def size(self) -> int:
        """Return the number of ids."""
        return self.tokenizer.get_vocab_size()

    def written(self) -> str:
        """Return the tokenizer as JSON."""
        return self.tokenizer.to_str()


def read_tokenizer(text: str) -> TextTokenizer:
    """Return a tokenizer from its JSON."""
    from tokenizers import Tokenizer

    return TextTokenizer(Tokenizer.from_str(text))


def load_tokenizer(folder: str | Path) -> TextTokenizer:
    """Return the tokenizer of a folder.

    Raises
    ------
    InputError
        There is no `tokenizer.json`, or it lacks the markers of a conversation.
    """
    path = Path(folder) / "tokenizer.json"
    if not path.is_file():
        fix = "Give the folder of a text model with tokenizer.json, config.json and safetensors."
        raise InputError("no tokenizer.json: not the folder of a text model", where=folder, fix=fix)
    try:
        found = read_tokenizer(path.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises Exception itself
        raise InputError(f"cannot be read ({error})", where=path, fix="Download the text model again.") from None
    lacking = [marker for marker in MARKERS if found.tokenizer.token_to_id(marker) is None]
    if lacking:
        what = f"the tokenizer has no {' and no '.join(lacking)}"
        fix = "Take a model whose conversations are ChatML with thoughts, as Qwen3."
        raise InputError(what, where=path, fix=fix)
    return found


def new_tokenizer(texts: Iterable[str], size: int) -> TextTokenizer:
    """Return byte pairs learned from texts, the markers of conversations before them; the same for the same texts."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[AddedToken(name, special=True, normalized=False) for name in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([*texts, ASSISTANT, "user\nAnswer: "], trainer)
    return TextTokenizer(made)


def new_text_model(vocabulary: int, hidden: int, layers: int, heads: int, seed: int | None = None) -> PreTrainedModel:
    """Return a small Qwen3 with random weights."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=max(1, heads // 2),
        head_dim=hidden // heads,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=SPECIAL.index(END),
        pad_token_id=SPECIAL.index("<|endoftext|>"),
    )
    if seed is not None:
        torch.manual_seed(seed)
    return Qwen3ForCausalLM(config)


def load_text_model(folder: str | Path, dtype: Any = None) -> PreTrainedModel:
    """Return the causal text model of a folder, from its files alone and by transformers' own classes.

    Raises
    ------
    InputError
        The folder is missing, holds no model that transformers has classes for, or not all of its weights: transformers would
        draw the others at random.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    path = Path(folder) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fix = "Give the folder of a text model with tokenizer.json, config.json and safetensors."
        raise InputError("no config.json that can be read", where=folder, fix=fix) from None
    if config.get("auto_map") and "model_type" not in config:
        raise InputError("a model with code of its own, which is never run", where=path, fix="Take another text model.")
    try:
        found, loaded = AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            dtype=dtype or "auto",
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"no causal text model: {reason}", where=folder, fix="Download it again.") from None
    if lost := sorted(loaded["missing_keys"]):
        what = f"{len(lost):,} weights of the text model are not in its files, {lost[0]} among them"
        raise InputError(
            what, where=folder, fix="Download it again, and see that config.json is that of these weights."
        )
    return found.eval()
