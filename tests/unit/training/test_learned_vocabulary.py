"""Byte pairs that are learned from a corpus before the model that reads them."""

import json
import math

import numpy as np
import pytest
import torch
from glmflow.config.models import Pretrain
from glmflow.corpus.corpus_build import build
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.byte_pairs import train_byte_pairs
from glmflow.models.kmer_vocabulary import kmer_vocabulary
from glmflow.plan.resources import shape_of_made
from glmflow.training.language_loss import IGNORE, LanguageEvaluation, bases_of_tokens, language_batch
from glmflow.training.pretrain import described, made_model, pretrain
from glmflow.training.pretraining_source import CorpusSource
from pydantic import ValidationError

OLMO = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
OLMO |= {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 64}


def test_vocabularies_are_told_of_on_held_out_bases_and_by_division(tmp_path):
    unlike = {"repeats": "GATTACA" * 400, "random": "".join(np.random.default_rng(2).choice(list("ACGT"), 2800))}
    sources = []
    for name, text in unlike.items():
        (tmp_path / f"{name}.fa").write_text(f">{name}\n{text}\n")
        sources.append({"path": str(tmp_path / f"{name}.fa"), "division": name})
    split = {"by": "position", "validation": 0.1, "test": 0.1, "max_shared": 1}
    build({"sources": sources, "split": split}, tmp_path / "corpus")
    source = CorpusSource(tmp_path / "corpus")
    known = described(kmer_vocabulary(3), source)
    assert known["divisions"] == pytest.approx({"random": 3, "repeats": 3}, abs=0.02)
    assert known["held_out"]["bases_per_token"] == pytest.approx(3, abs=0.05) and known["length_bits"] < 0.05
    learned = train_byte_pairs(source.texts(10_000), 20, 7)
    by_division = described(learned, source)["divisions"]
    assert by_division["repeats"] > by_division["random"] + 1
    held_out = "".join(source.held_out_texts(10_000))
    some = source.held_out_texts(100)
    assert len(held_out) == 1120 and sum(map(len, some)) == 100 and all(text in held_out for text in some)
    training = "".join(source.texts(10_000))
    assert len(training) == 4480 and held_out[-280:] not in training
    assert {name: sum(map(len, texts)) for name, texts in source.texts_by_division(2000).items()} == {
        "random": 2000,
        "repeats": 2000,
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A corpus in which GATTACA is every other word."""
    folder = tmp_path_factory.mktemp("vocabulary")
    rng = np.random.default_rng(1)
    text = "".join("GATTACA" + "".join(rng.choice(list("ACGT"), 5)) for _ in range(600))
    (folder / "a.fa").write_text(f">a\n{text}\n")
    split = {"by": "position", "validation": 0.1, "test": 0.1, "max_shared": 1}
    build({"sources": [{"path": str(folder / "a.fa"), "division": "made"}], "split": split}, folder / "corpus")
    return folder / "corpus"


def block(**more):
    given = {"corpus": "c", "family": "olmo", "config": OLMO, "length": 96, "steps": 2, "batch": 2}
    return Pretrain.model_validate(given | {"byte_pairs": {"vocabulary": 48, "max_token_length": 8}} | more)


def test_a_model_reads_the_vocabulary_that_was_learned_with_it(corpus, tmp_path):
    pretrain(block().model_dump(mode="json"), CorpusSource(corpus), 1, tmp_path / "run", tmp_path / "model")
    model = load_model(tmp_path / "model")
    words = [token for token in model.tokenizer.vocab if set(token) <= set("ACGT")]
    assert len(model.tokenizer.vocab) == model.card.vocab_size == 48 and max(map(len, words)) <= 8
    assert any(len(word) >= 5 and word in "GATTACA" * 2 for word in words)
    known = json.loads((tmp_path / "run/cost.json").read_text())["vocabulary"]
    assert known["vocabulary"] == 48 and 1.5 < known["bases_per_token"] < 8
    assert model.card.bases_per_token == pytest.approx(known["bases_per_token"])
    assert model.card.context_bp == int(64 * known["bases_per_token"])
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    losses = [line["eval_loss"] for line in lines if "eval_loss" in line]
    # Of a base, whatever the tokens: a network that knows nothing spreads its tokens evenly.
    assert losses[-1] == pytest.approx(math.log(48) / known["bases_per_token"], rel=0.25)


def test_a_vocabulary_of_single_bases_is_read_base_by_base(corpus, tmp_path):
    pairs = {"byte_pairs": {"vocabulary": 10, "max_token_length": 8}}
    pretrain(
        block(**pairs, length=60).model_dump(mode="json"), CorpusSource(corpus), 1, tmp_path / "run", tmp_path / "model"
    )
    model = load_model(tmp_path / "model")
    assert model.card.bases_per_token == 1 and model.card.vocab_size == 10
    assert model.tokenize(["GATTACA"]).input_ids.shape == (1, 7)


def test_consecutive_kmers_are_read_beside_byte_pairs(corpus, tmp_path):
    made = block(byte_pairs=None, kmers=3)
    pretrain(made.model_dump(mode="json"), CorpusSource(corpus), 1, tmp_path / "run", tmp_path / "model")
    model = load_model(tmp_path / "model")
    assert model.card.vocab_size == 74 and model.card.bases_per_token == pytest.approx(3, abs=0.02)
    assert model.tokenize(["GATTACAGA"]).token_of_base.tolist() == [[0, 0, 0, 1, 1, 1, 2, 2, 2]]
    known = json.loads((tmp_path / "run/cost.json").read_text())["vocabulary"]
    assert known["vocabulary"] == 74 and known["changed"] == 1
    assert shape_of_made(made).bases_per_token == 3 and made.vocabulary == "3-mers"
    with pytest.raises(ValidationError, match="leave one out"):
        block(kmers=3)


def test_of_several_processes_the_first_alone_writes_the_vocabulary_that_all_read(corpus, tmp_path, monkeypatch):
    vocabularies = {}
    for rank in ("1", "0"):
        monkeypatch.setenv("RANK", rank)
        adapter, _ = made_model(block(), CorpusSource(corpus), 1, tmp_path / "run")
        vocabularies[rank] = adapter.tokenizer.vocab
        assert (tmp_path / "run/vocabulary/tokenizer.json").exists() == (rank == "0")
        assert int(adapter.tokenize(["GATTACA"]).attention_mask.sum()) >= 1
    assert vocabularies["0"] == vocabularies["1"] and len(vocabularies["0"]) == 48


def test_who_cannot_learn_from_byte_pairs_says_so(corpus, tmp_path):
    small = block(family="small", config={"causal": True, "hidden_size": 16, "num_heads": 2, "context": 64})
    with pytest.raises(InputError, match="small"):
        pretrain(small.model_dump(mode="json"), CorpusSource(corpus), 1, tmp_path / "run", tmp_path / "model")
    with pytest.raises(ValidationError, match="byte_pairs is of a corpus"):
        block(corpus=None)


SHARES = dict(zip("ACGT", (0.4, 0.2, 0.1, 0.3)))
"""An order-0 source: a token costs what its bases cost, whatever they are joined to."""


class Order0(torch.nn.Module):
    """A language model of single bases behind any tokenizer."""

    def __init__(self, adapter):
        super().__init__()
        self.adapter, self.own = adapter, torch.nn.Parameter(torch.zeros(1))
        size = max(adapter.card.vocab_size, 1 + max(adapter.tokenizer.vocab.values()))
        self.costs = torch.zeros(size, dtype=torch.float64)
        for token, index in adapter.tokenizer.vocab.items():
            if token and set(token) <= set("ACGT"):
                self.costs[index] = -sum(math.log(SHARES[base]) for base in token)

    def forward(self, labels, **batch):
        return {"loss": self.costs[labels[labels != IGNORE]].mean()}


@pytest.mark.parametrize("read", [None, {"kmers": 3}, {"byte_pairs": {"vocabulary": 48, "max_token_length": 8}}])
def test_bits_of_one_source_are_the_same_whatever_the_tokens(corpus, tmp_path, read):
    if read is None:
        adapter = new_model("small", {"causal": True, "hidden_size": 16, "num_heads": 2, "context": 1024})
    else:
        adapter, _ = made_model(
            block(**{"byte_pairs": None, "config": OLMO | {"max_position_embeddings": 1024}} | read),
            CorpusSource(corpus),
            1,
            tmp_path,
        )
    text = "".join(np.random.default_rng(4).choice(list("ACGT"), 900, p=list(SHARES.values())))
    batch = language_batch([{"sequence": text, "noise": np.zeros((2, 900))}], adapter, 0.15)
    found = LanguageEvaluation([batch])(Order0(adapter))["loss"]
    scored = batch["labels"][batch["labels"] != IGNORE]
    bases = int(bases_of_tokens(adapter)[scored].sum())  # the first token has none before it, and is not asked for
    known = -sum(math.log(SHARES[base]) for base in text[900 - bases :])
    assert bases >= 890 and found == pytest.approx(known / bases, rel=1e-9)
