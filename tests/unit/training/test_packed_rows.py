"""Several records in a row lose what each loses alone, whatever the layers that mix positions."""

import numpy as np
import pytest
import torch
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.facts import all_facts
from glmflow.training.language_loss import IGNORE, LanguageModel, language_batch
from glmflow.training.pretrain import pretrain
from glmflow.training.pretraining_source import CorpusSource
from glmflow.training.weighted_language import weighted_batch

SMALL = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "context": 64}
OLMO = {
    "vocab_size": 4096,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
FAMILIES = {
    "causal": ("small", SMALL | {"causal": True}),
    "overlapping": ("small", SMALL | {"causal": True, "kmer": 3}),
    "masked": ("small", SMALL | {"causal": False}),
    "wavelet": ("wavelet", {"hidden_size": 16, "num_layers": 2, "context": 32}),
    "three taps": ("wavelet", {"hidden_size": 16, "num_layers": 2, "taps": 3, "context": 32}),
    "recurrent": ("rwkv7", {"hidden_size": 32, "num_layers": 2, "head_size": 16, "chunk": 8}),
    "selective": ("mamba", {"hidden_size": 16, "num_layers": 2, "state_size": 4}),
    "kmers": ("generator", {**OLMO, "vocab_size": 4128, "num_key_value_heads": 2, "max_position_embeddings": 64}),
}


def item(rng, *lengths):
    sequence = "".join(rng.choice(list("ACGT"), sum(lengths)))
    noise = rng.random((2, len(sequence)))
    lower = rng.random(len(sequence)) < 0.3
    return {"sequence": sequence, "noise": noise, "lower": lower, "ends": np.cumsum(lengths).tolist()}


def alone(row):
    starts = [0, *row["ends"][:-1]]
    return [
        {"sequence": row["sequence"][a:b], "noise": row["noise"][:, a:b], "lower": row["lower"][a:b]}
        for a, b in zip(starts, row["ends"])
    ]


def perturbed(name):
    family, config = FAMILIES[name]
    model = LanguageModel(new_model(family, config, seed=2)).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():  # what begins at zero would hide what a layer reads
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model


@pytest.mark.parametrize("softmask_weight", [1.0, 0.25])
@pytest.mark.parametrize("name", FAMILIES)
def test_packed_rows_lose_what_records_lose_alone(name, softmask_weight):
    rng = np.random.default_rng(3)
    rows = [item(rng, 12, 30, 18), item(rng, 48), item(rng, 6, 6, 24, 12)]
    model = perturbed(name)
    together = weighted_batch(rows, model.adapter, 0.5, softmask_weight)
    loss, gradients = _loss(model, together)
    singles = [weighted_batch([one], model.adapter, 0.5, softmask_weight) for row in rows for one in alone(row)]
    counted = [float(batch["counted"].sum()) for batch in singles]
    assert float(together["counted"].sum()) == pytest.approx(sum(counted))
    losses, sums = zip(*(_loss(model, batch) for batch in singles))
    assert loss == pytest.approx(np.average(losses, weights=counted), abs=1e-5)
    for parameter, packed in gradients.items():
        mean = sum(one[parameter] * share for one, share in zip(sums, counted)) / sum(counted)
        torch.testing.assert_close(packed, mean, atol=1e-5, rtol=1e-3)


def _loss(model, batch):
    model.zero_grad()
    loss = model(**batch)["loss"]
    if loss.requires_grad:
        loss.backward()
    return loss.item(), {
        name: torch.zeros_like(own) if own.grad is None else own.grad.clone() for name, own in model.named_parameters()
    }


@pytest.mark.parametrize("name", ["causal", "recurrent"])
def test_a_border_matters_where_it_is_not_told(name):
    row = item(np.random.default_rng(4), 20, 20)
    model = perturbed(name)
    batch = language_batch([row], model.adapter, 0.5)
    with torch.no_grad():
        told, untold = (float(model(**some)["loss"]) for some in (batch, batch | {"records": None}))
    assert abs(told - untold) > 1e-4


def test_activations_computed_again_backwards_see_the_same_records():
    row = item(np.random.default_rng(5), 20, 13)
    model = perturbed("causal").train()
    batch = language_batch([row], model.adapter, 0.5)
    _, kept = _loss(model, batch)
    model.adapter.network.set_gradient_checkpointing(True)
    _, again = _loss(model, batch)
    for name, gradient in kept.items():
        torch.testing.assert_close(again[name], gradient)


def test_families_that_say_so_pack():
    assert {family for family, _ in FAMILIES.values()} <= {facts.family for facts in all_facts() if facts.packs}
    for name in FAMILIES:
        assert perturbed(name).adapter.network.packs
    for family in (facts.family for facts in all_facts() if facts.own_settings and not facts.packs):
        assert not new_model(family, {}).network.packs


def test_the_first_base_of_a_record_is_never_asked():
    row = item(np.random.default_rng(6), 5, 4, 6)
    model = perturbed("causal")
    labels = language_batch([row], model.adapter, 0.5)["labels"][0]
    assert torch.nonzero(labels == IGNORE).flatten().tolist() == [4, 8, 14]


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(1)
    records = {f"r{n}": "".join(rng.choice(list("ACGT"), length)) for n, length in enumerate((300, 40, 30, 50, 25))}
    (tmp_path / "a.fa").write_text("".join(f">{name} x\n{text}\n" for name, text in records.items()))
    split = {"by": "contig", "validation": 0, "test": 0}
    build({"sources": [{"path": str(tmp_path / "a.fa")}], "min_length": 20, "split": split}, tmp_path / "c")
    return tmp_path / "c", records


def test_rows_are_filled_with_whole_short_records_and_follow_from_seed_and_number(corpus):
    folder, records = corpus
    windows = CorpusWindows(Corpus(folder), "train", 128, both_strands=False, short=20, pack=True)
    short, several = {text for text in records.values() if len(text) < 128}, 0
    for number in range(300):
        found = windows(number, None)
        again = windows(number, None)
        assert (found["sequence"], found["ends"]) == (again["sequence"], again["ends"])
        parts = [one["sequence"] for one in alone(found)]
        assert len(found["sequence"]) <= 128 and sum(map(len, parts)) == len(found["sequence"])
        assert all(part in short or part in records["r0"] for part in parts)
        assert len(found["sequence"]) == 128 or all(part in short for part in parts[1:])
        several += len(parts) > 1
    assert several > 40


def test_a_model_is_trained_on_packed_rows_and_families_that_cannot_are_refused(corpus, tmp_path):
    torch.set_num_threads(1)
    settings = {"family": "small", "config": SMALL | {"causal": True, "context": 128}, "length": 128, "steps": 2}
    settings |= {"batch": 4, "corpus": "c", "short": 20, "pack": True, "softmask_weight": 0.5}
    source = CorpusSource(corpus[0], short=20, pack=True)
    pretrain(settings, source, 1, tmp_path / "training", tmp_path / "model")
    assert (tmp_path / "model/model.yaml").is_file()
    settings |= {"family": "dit", "config": {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 128}}
    with pytest.raises(InputError, match="does not read several records in a row"):
        pretrain(settings, source, 1, tmp_path / "other", tmp_path / "none")
