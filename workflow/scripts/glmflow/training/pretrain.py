"""Self-supervised training of a model on a genome or a corpus: the next base, or masked bases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from glmflow.config.models import Pretrain
from glmflow.corpus.times_seen import times_seen, too_often
from glmflow.errors import InputError
from glmflow.files import atomic_path
from glmflow.models import byte_text, new_model
from glmflow.models.adapter import Adapter
from glmflow.models.byte_pairs import describe, pieces, train_byte_pairs
from glmflow.models.kmer_vocabulary import kmer_vocabulary
from glmflow.models.masked_diffusion import DIFFUSION

from .carried_training import CarriedLanguageModel, CarriedStream, carried_batch
from .chance import chance_loss
from .cost import write_cost
from .language_loss import MASKED_AS, LanguageEvaluation, LanguageModel, language_batch
from .loop.distributed import is_first
from .loop.fit import fit
from .pair_source import pair_batch
from .pretraining_source import CorpusSource, Source
from .stream import ExampleList, ExampleStream, Item
from .weighted_language import diffusion_batch, weighted_batch

DESCRIBED = 200_000
"""Training bases that a vocabulary is described by, and held-out ones."""
DESCRIBED_OF_DIVISION = 50_000
"""Training bases of each division that its bases a token are told of."""


def pretrain(
    settings: Mapping[str, Any],
    source: Source,
    seed: int,
    folder: Path,
    model_folder: Path,
) -> None:
    """Pretrain a model on what a source says is for training, and save it in `model_folder`.

    Parameters
    ----------
    settings
        The `pretrain` block of a model.
    folder
        Gets `metrics.jsonl`, `cost.json` (with what chance loses) and, while training, `checkpoints/`.
    """
    block = Pretrain.model_validate(settings)
    torch.manual_seed(seed)
    adapter, vocabulary = made_model(block, source, seed, folder)
    if block.pack and not adapter.network.packs:
        fix = "Leave `pack` out: short sequences are then rows of their own."
        raise InputError(f"family {block.family} does not read several records in a row", fix=fix)
    if block.gradient_checkpointing:
        adapter.gradient_checkpointing_enable()
    training = block.training()
    batches, evaluated = batches_of(block, adapter)
    held_out, evaluate = source.held_out(block.length), None
    if held_out is not None:
        items = ExampleList(held_out, 4 * block.batch)
        evaluate = LanguageEvaluation(DataLoader(items, batch_size=block.batch, collate_fn=evaluated))
    model, draws, batches = training_parts(block, adapter, source, batches, seed)
    identity = {"settings": block.model_dump(mode="json"), **source.identity()}
    fitted = fit(model, draws, batches, training, block.steps, folder, seed, evaluate, identity)
    if not is_first():
        return
    adapter.origin |= source.provenance() | {"objective": objective_of(block, adapter)}
    adapter.origin |= {"trained_through_bp": block.length, "carried_bp": block.carried}
    adapter.origin |= {"row": block.length} if block.pairs else {}
    adapter.save(model_folder)
    chance = chance_loss(source.composition(), MASKED_AS if objective_of(block, adapter) == "masked" else None)
    warnings = [*fitted.warnings, *repeated(block, source)]
    write_cost(folder / "cost.json", model, fitted, warnings, chance=chance, vocabulary=vocabulary)


def training_parts(
    block: Pretrain, adapter: Adapter, source: Source, batches: Callable, seed: int
) -> tuple[LanguageModel, Dataset, Callable]:
    """Return the model that is trained, the draws of the run and what makes them into batches: of windows that stand alone, or
    of windows that follow one another (`carry_state_bp`).

    Raises
    ------
    InputError
        A state is to be carried where there is none, or outside of a corpus.
    """
    count = block.steps * block.batch
    if block.carry_state_bp is None:
        segments = source.training(block.length)
        return LanguageModel(adapter), ExampleStream(segments, len(segments), count, seed), batches
    if not isinstance(source, CorpusSource):
        raise InputError("a state is carried over windows of a corpus", fix="Name one (`corpus`).")
    windows = source.consecutive(block.length, block.carry_state_bp)
    model = CarriedLanguageModel(adapter, block.batch)
    return (
        model,
        CarriedStream(windows, block.batch, count, seed),
        partial(carried_batch, make=batches, length=block.length),
    )


def repeated(block: Pretrain, source: Source) -> list[str]:
    """Return that a corpus, or a species of it, was seen more often than new data would be worth."""
    return too_often(times_seen(block, source.corpus.table), "was") if isinstance(source, CorpusSource) else []


def made_model(block: Pretrain, source: Source, seed: int, folder: Path) -> tuple[Adapter, dict[str, Any] | None]:
    """Return a model with random weights, and what is known of its vocabulary where that is learned first.

    The vocabulary is kept in `folder/vocabulary`; a run that goes on learns it again, which gives the same one. So does each of
    several processes, for itself: only the first one writes into the folder that all see.

    Raises
    ------
    InputError
        The family reads no byte pairs, or there is no corpus to learn them from.
    """
    if not block.vocabulary:
        told = {"tags": source.tag_names()} if block.tags and isinstance(source, CorpusSource) else {}
        told |= byte_text.vocabulary_of(bool(block.pairs), block.ends)
        return new_model(block.family, block.config | told, seed=seed), None
    if not isinstance(source, CorpusSource):
        raise InputError(f"{block.vocabulary} are made for a corpus", fix="Name one (`corpus`).")
    learned = _vocabulary(block, source)
    known = described(learned, source)
    config = block.config | {"vocab_size": learned.get_vocab_size(), "bases_per_token": known["bases_per_token"]}
    with nullcontext(folder) if is_first() else TemporaryDirectory() as place:
        vocabulary = Path(place) / "vocabulary"
        with atomic_path(vocabulary) as temporary:
            temporary.mkdir()
            learned.save(str(temporary / "tokenizer.json"))
        adapter = new_model(block.family, config, seed=seed, vocabulary=vocabulary)
    read = adapter.tokenizer.vocab if adapter.tokenizer is not None else {}
    if read != learned.get_vocab() or adapter.card.objective != "causal":
        raise InputError(
            f"family {block.family} does not learn from {block.vocabulary}",
            where="models.*.pretrain",
            fix="Take `family: olmo`, or leave `byte_pairs` and `kmers` out.",
        )
    return adapter, known


def described(learned: Tokenizer, source: CorpusSource) -> dict[str, Any]:
    """Return what a vocabulary makes of training sequence (`describe`) and its size, `vocabulary`.

    ``held_out``: the same of sequences of validation and test; ``divisions``: bases a token of training, by division.
    """
    known: dict[str, Any] = dict(describe(learned, pieces(source.texts(DESCRIBED), both_strands=False)))
    known["vocabulary"] = learned.get_vocab_size()
    if held_out := source.held_out_texts(DESCRIBED):
        known["held_out"] = describe(learned, pieces(held_out, both_strands=False))
    known["divisions"] = {
        name: describe(learned, pieces(texts, both_strands=False))["bases_per_token"]
        for name, texts in source.texts_by_division(DESCRIBED_OF_DIVISION).items()
    }
    return known


def _vocabulary(block: Pretrain, source: CorpusSource) -> Tokenizer:
    """Return the tokenizer that is made with a model: k-mers, or byte pairs that are learned."""
    if block.kmers:
        return kmer_vocabulary(block.kmers)
    asked = block.byte_pairs
    assert asked is not None
    return train_byte_pairs(source.texts(asked.bases), asked.vocabulary, asked.max_token_length)


def objective_of(block: Pretrain, adapter: Adapter) -> str:
    """Return what a model is trained for: `next`, `masked` or `masked_diffusion`.

    Raises
    ------
    InputError
        The family cannot be trained so.
    """
    own = "next" if adapter.card.objective == "causal" else "masked"
    asked = block.objective or own
    if (asked == "next") != (own == "next"):
        fix = "Leave `objective` out, or take a family (or `config: {causal: ...}`) that reads so."
        raise InputError(f"a model that is {adapter.card.objective} cannot learn objective {asked}", fix=fix)
    if asked == DIFFUSION and (adapter.tokenizer.mask_id is None or adapter.card.bases_per_token != 1):
        raise InputError("masked diffusion needs single bases and a mask", fix="Take a family with a token a base.")
    return asked


def batches_of(block: Pretrain, adapter: Adapter) -> tuple[Callable, Callable]:
    """Return what makes items into batches, for training and for evaluation: there every base counts alike."""
    if block.pairs:
        return pair_batch, pair_batch
    if objective_of(block, adapter) == DIFFUSION:
        plain = partial(diffusion_batch, adapter=adapter)
        learned = partial(plain, softmask_weight=block.softmask_weight)
    else:
        learned = plain = partial(language_batch, adapter=adapter, mask=block.mask)
        if block.softmask_weight != 1:
            learned = partial(weighted_batch, adapter=adapter, mask=block.mask, softmask_weight=block.softmask_weight)
    return (partial(tagged_batch, make=learned) if block.tags else learned), plain


def tagged_batch(items: Sequence[Item], make: Callable[[Sequence[Item]], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return a batch with the tags of its items, ``int64[B]``."""
    return make(items) | {"tags": torch.tensor([item["tag"] for item in items])}
