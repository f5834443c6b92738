"""Objectives of pretraining: masked diffusion and its bound, weights of lower case, short sequences, strands."""

import itertools
import json

import numpy as np
import pytest
import torch
from glmflow.config.models import Pretrain
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.corpus_windows import CorpusWindows
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.training.inputs.diffusion_bound import bounds
from glmflow.training.inputs.segments import Query
from glmflow.training.language_loss import IGNORE, LanguageEvaluation, LanguageModel, language_batch
from glmflow.training.pretrain import batches_of, objective_of, pretrain, repeated
from glmflow.training.pretraining_source import CorpusSource, source
from glmflow.training.weighted_language import diffusion_batch, weighted_batch
from pydantic import ValidationError

DIT = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 64}
CAUSAL = {"causal": True, "hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 64}


def items(*sequences, seed=0):
    rng = np.random.default_rng(seed)
    return [
        {
            "sequence": one.upper(),
            "lower": np.array([base.islower() for base in one]),
            "noise": rng.random((2, len(one))),
        }
        for one in sequences
    ]


def test_times_are_spread_over_the_batch_and_weigh_by_their_inverse():
    model = new_model("dit", DIT)
    batch = diffusion_batch(items(*["ACGTN" * 12] * 20), model)
    asked = batch["labels"] != IGNORE
    shares = asked.float().sum(1) / 48
    expected = (torch.arange(20) + 0.5) / 20
    assert (shares.sort().values - expected).abs().max() < 0.25 and shares.std() > 0.25
    weights = torch.where(asked, batch["weights"], torch.nan)
    row = weights.nanmean(1)
    assert (row[row.isfinite()] >= 1 - 1e-6).all()
    assert float((row * shares).nanmean()) == pytest.approx(1, abs=0.2)
    unknown = torch.tensor([base == "N" for base in "ACGTN" * 12])
    assert not asked[:, unknown].any() and (batch["counted"][:, unknown] == 0).all()
    assert (batch["input_ids"][asked] == 1).all() and (batch["counted"][:, ~unknown] == 1).all()


class Known(torch.nn.Module):
    """A source of which bases are drawn alike and apart: the logits of its composition at every place."""

    def __init__(self, shares):
        super().__init__()
        self.logs = torch.log(torch.tensor([1e-9, 1e-9, *shares, 1e-9, 1e-9]))

    def hidden_states(self, ids, mask=None):
        return self.logs.expand(*ids.shape, 8)

    def logits(self, states):
        return states


def asked(model, sequences, draws, scored):
    adapter = new_model("dit", DIT)
    if model is not None:
        adapter.hidden_states = model.hidden_states
        adapter.network.logits = model.logits
    queries = [
        Query(f"w{n}\t", 4, np.frombuffer(s.encode(), np.uint8), scored, np.ones(scored))
        for n, s in enumerate(sequences)
    ]
    return list(bounds(adapter, queries, draws, 1)), adapter


def test_the_bound_of_a_source_that_is_known_is_its_entropy():
    shares = [0.4, 0.3, 0.2, 0.1]
    rng = np.random.default_rng(2)
    sequences = ["".join(rng.choice(list("ACGT"), 40, p=shares)) for _ in range(200)]
    found, _ = asked(Known(shares), sequences, 16, 30)
    entropy = -sum(share * np.log(share) for share in shares)
    mean = np.mean([nats.mean() for nats, _ in found])
    error = np.sqrt(sum(error**2 for _, error in found)) / (200 * 30)
    spread = np.std([nats.mean() for nats, _ in found]) / 200**0.5
    assert abs(mean - entropy) < 4 * spread and 0 < error < spread < 0.03


def test_the_bound_is_the_mean_over_all_masks_of_each_number():
    """Three scored bases: every mask of every number, weighed by hand, against many draws."""
    torch.manual_seed(3)
    sequence = "ACGTGCA"
    (found,), adapter = asked(None, [sequence], 1000, 3)
    ids = adapter.tokenize([sequence]).input_ids
    exact = np.zeros(3)
    for count in (1, 2, 3):
        masks = list(itertools.combinations(range(3), count))
        for chosen in masks:
            shown = ids.clone()
            places = [4 + place for place in chosen]
            shown[0, places] = 1
            with torch.no_grad():
                logits = adapter(shown).logits[0].double()
            logits[:, 1] = -torch.inf
            cost = -logits.log_softmax(-1)[places, ids[0, places]]
            exact[list(chosen)] += 3 / count * cost.numpy() / len(masks) / 3
    assert found[0] == pytest.approx(exact, rel=0.1)
    assert found[0].sum() == pytest.approx(exact.sum(), abs=5 * found[1])


def test_lower_case_of_no_weight_is_absent_from_the_gradient():
    sequence = "ACGTACGTacgtacgtACGT"
    plain, changed = items(sequence), items(sequence[:8] + "ttttgggg" + sequence[16:])
    model = LanguageModel(new_model("small", CAUSAL | {"convolution": 0}, seed=1))
    weights = weighted_batch(plain, model.adapter, 0.15, 0.0)["weights"][0]
    # A label stands one place before its base.
    assert weights.tolist() == [1.0] * 7 + [0.0] * 8 + [1.0] * 4 + [0.0]
    half = weighted_batch(plain, model.adapter, 0.15, 0.5)
    assert half["counted"].sum() == 11 + 8 * 0.5
    loss = model(**weighted_batch(plain, model.adapter, 0.15, 1.0))["loss"]
    torch.testing.assert_close(loss, model(**language_batch(plain, model.adapter, 0.15))["loss"])
    heads = []
    for some in (plain, changed):
        batch = weighted_batch(some, model.adapter, 0.15, 0.0)
        batch["input_ids"] = weighted_batch(plain, model.adapter, 0.15, 0.0)["input_ids"]
        model.zero_grad()
        model(**batch)["loss"].backward()
        heads.append(model.adapter.network.lm_head.weight.grad.clone())
    torch.testing.assert_close(heads[0], heads[1])


@pytest.mark.parametrize(("family", "sizes", "objective"), [("small", CAUSAL, None), ("dit", DIT, "masked_diffusion")])
def test_what_is_reported_counts_every_base_alike_whatever_lower_case_weighs_in_training(family, sizes, objective):
    adapter, rows = new_model(family, sizes, seed=1), items("ACGTTGCAacgtgattacag" * 2, "acgtACGGTTAC" * 3)
    found = {}
    for weight in (1.0, 0.0):
        settings = {"family": family, "length": 40, "corpus": "c", "objective": objective, "softmask_weight": weight}
        learned, reported = batches_of(Pretrain(**settings), adapter)
        found[weight] = LanguageEvaluation([reported(rows)])(LanguageModel(adapter))["loss"]
        counts_less = "weights" in (batch := learned(rows)) and float(batch["counted"].sum()) < 60
        assert counts_less == (weight == 0)
    assert found[0.0] == found[1.0]


def test_sequences_of_several_lengths_lose_what_each_loses_alone():
    rows = items("ACGTTGCA", "ACG", "TTTTTGA")
    for family, config in (
        ("small", CAUSAL),
        ("small", CAUSAL | {"causal": False}),
        ("wavelet", {"hidden_size": 16, "num_layers": 1}),
    ):
        model = LanguageModel(new_model(family, config, seed=2)).eval()
        together = language_batch(rows, model.adapter, 1.0)
        alone = [language_batch([row], model.adapter, 1.0) for row in rows]
        count = [int((batch["labels"] != IGNORE).sum()) for batch in alone]
        with torch.no_grad():
            losses = [float(model(**batch)["loss"]) for batch in alone]
            mean = sum(loss * number for loss, number in zip(losses, count)) / sum(count)
            assert float(model(**together)["loss"]) == pytest.approx(mean, abs=1e-5)


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(1)
    long, short = ("".join(rng.choice(list("ACGT"), length)) for length in (900, 40))
    (tmp_path / "a.fa").write_text(f">long x\n{long}\n>short x\n{short}\n")
    split = {"by": "contig", "validation": 0, "test": 0}
    build({"sources": [{"path": str(tmp_path / "a.fa")}], "min_length": 30, "split": split}, tmp_path / "c")
    return tmp_path / "c", long, short


def test_short_sequences_are_drawn_whole_where_asked(corpus):
    folder, long, short = corpus
    without = {CorpusWindows(Corpus(folder), "train", 64)(n, None)["sequence"] for n in range(100)}
    assert all(len(window) == 64 for window in without)
    windows = CorpusWindows(Corpus(folder), "train", 64, both_strands=False, short=20)
    found = [windows(n, None)["sequence"] for n in range(400)]
    assert set(map(len, found)) == {40, 64} and {window for window in found if len(window) == 40} == {short}
    assert all(window in long for window in found if len(window) == 64)
    one_strand = source({"corpus": folder / "sequences.parquet"}, {"strand": "forward", "short": None})
    assert all(one_strand.training(64)(n, None)["sequence"] in long for n in range(50))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"softmask_weight": 0.1}, "softmask_weight is of a corpus"),
        ({"objective": "guess"}, "objective"),
        ({"carry_state_bp": 1024}, "carry_state_bp is of a corpus"),
        ({"carry_state_bp": 1000, "corpus": "c"}, "no multiple of length 512"),
        ({"carry_state_bp": 1024, "corpus": "c", "tags": "genus"}, "goes without tags"),
        ({"carry_state_bp": 1024, "corpus": "c", "gpus": 2}, "keeps its states on one GPU"),
        ({"kmers": 6, "corpus": "c", "length": 11}, "holds no two 6-mers"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        Pretrain(family="small", **settings)


def test_a_causal_model_learns_the_next_base_and_nothing_else():
    with pytest.raises(InputError, match="cannot learn objective masked_diffusion"):
        objective_of(Pretrain(family="small", objective="masked_diffusion"), new_model("small", CAUSAL))


def test_a_diffusion_model_is_trained_and_its_record_says_how(corpus, tmp_path):
    torch.set_num_threads(1)
    settings = {"family": "dit", "config": DIT, "length": 64, "steps": 2, "batch": 4, "corpus": "c"}
    settings |= {"objective": "masked_diffusion", "short": 20, "softmask_weight": 0.5}
    pretrain(settings, CorpusSource(corpus[0], short=20), 1, tmp_path / "training", tmp_path / "model")
    assert "objective: masked_diffusion" in (tmp_path / "model/model.yaml").read_text()
    assert "seen" not in "".join(json.loads((tmp_path / "training/cost.json").read_text())["warnings"])
    often = Pretrain(family="dit", length=64, batch=16, steps=5, corpus="c")  # 940 bases
    assert "was seen 5.4 times" in repeated(often, CorpusSource(corpus[0]))[0]
    assert '"chance_loss": 1.3' in (tmp_path / "training/cost.json").read_text()


def test_a_small_species_that_is_seen_too_often_is_named(tmp_path):
    rng = np.random.default_rng(2)
    for name, length in (("small", 1000), ("large", 9000)):
        (tmp_path / f"{name}.fa").write_text(f">{name}\n{''.join(rng.choice(list('ACGT'), length))}\n")
    sources = [{"path": str(tmp_path / f"{name}.fa"), "division": name} for name in ("small", "large")]
    split = {"by": "contig", "validation": 0, "test": 0}
    build({"sources": sources, "temperature": 0, "split": split}, tmp_path / "c")
    block = Pretrain(family="small", config=CAUSAL, corpus="c", length=100, batch=10, steps=10)
    # Half of the 10,000 bases that are drawn are of the smaller one, five times its length.
    (said,) = repeated(block, CorpusSource(tmp_path / "c"))
    assert "of 1,000 bases" in said and "was seen 5.0 times" in said
    assert not repeated(block.model_copy(update={"steps": 7}), CorpusSource(tmp_path / "c"))


def test_rows_at_a_time_and_activations_computed_again_change_no_weight(corpus, tmp_path):
    torch.set_num_threads(1)
    settings = {"family": "small", "config": CAUSAL, "length": 64, "steps": 3, "batch": 4, "corpus": "c"}
    weights = []
    for number, more in enumerate(({}, {"micro_batch": 2, "gradient_checkpointing": True})):
        pretrain(
            settings | more, CorpusSource(corpus[0]), 1, tmp_path / f"training{number}", tmp_path / f"model{number}"
        )
        weights.append(load_model(tmp_path / f"model{number}").network.state_dict())
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, atol=2e-5, rtol=1e-4)
    bf16 = Pretrain(family="small", bf16=True, batch=8, gpus=2).training()
    assert (bf16.bf16, bf16.micro_batch) == (True, 4)


def test_the_loss_of_tokens_of_six_bases_is_divided_by_their_bases():
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 16, "max_position_embeddings": 64}
    adapter = new_model("generator", {**sizes, "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 4128})
    with torch.no_grad():
        for parameter in adapter.network.parameters():
            parameter.zero_()  # every token is as likely
    batches = [
        language_batch(items("ACGTTG" * 8, seed=1), adapter, 0.15),
        language_batch(items("ACGTTG" * 3, seed=2), adapter, 0.15),
    ]
    found = LanguageEvaluation(batches)(LanguageModel(adapter))
    assert found["loss"] == pytest.approx(np.log(4128) / 6, rel=1e-5)
    assert found["perplexity"] == pytest.approx(4128 ** (1 / 6), rel=1e-5)


def test_the_bound_is_evaluated_by_all_bases_that_are_known():
    adapter = new_model("dit", DIT)
    with torch.no_grad():
        adapter.network.lm_head.weight.zero_()
    batch = diffusion_batch(items(*["ACGTN" * 12] * 30), adapter)
    found = LanguageEvaluation([batch])(LanguageModel(adapter))["loss"]
    assert found == pytest.approx(float(batch["weights"].sum() / (30 * 48)) * np.log(8), rel=1e-5)
