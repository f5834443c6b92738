"""Consecutive k-mers are scored in all of their readings: what is asked of a model, what comes of it, and the page's rows."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.config.tasks.language import Language
from glmflow.models import new_model
from glmflow.models.kmer_vocabulary import kmer_vocabulary, readings
from glmflow.report.pages.language import phase_table
from glmflow.tasks.language import score
from glmflow.training.inputs.scored_windows import predict

OLMO = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
OLMO |= {"num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 64}
KEYS = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
SCORED, CONTEXTS = 7, [4, 12]


def windows(count=3):
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "example": [f"w{number}" for number in range(count)],
            "split": "test",
            "subset": "made",
            "group": [f"g{number}" for number in range(count)],
            "sequence": ["".join(rng.choice(list("ACGT"), max(CONTEXTS) + SCORED)) for _ in range(count)],
            "far": "",
            "scored": SCORED,
            "marks": "0" * SCORED,
        }
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kmers")
    learned = kmer_vocabulary(3)
    learned.save(str(folder / "tokenizer.json"))
    made = new_model("olmo", OLMO | {"vocab_size": 74, "bases_per_token": 3.0}, seed=1, vocabulary=folder)
    with torch.no_grad():
        for weight in made.network.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2))
    return made.eval()


def asked(model, contexts=CONTEXTS):
    task = Language(kind="language", corpus="c", contexts=contexts, scored=SCORED, controls=[])
    run = SimpleNamespace(task=task)
    return predict(SimpleNamespace(run=run, model=model), windows(), {}, None, None)


def test_kmers_have_k_readings_and_others_one(model):
    assert readings(model.tokenizer) == 3
    single = new_model("small", {"causal": True, "hidden_size": 16, "num_heads": 2, "context": 64})
    assert readings(single.tokenizer) == 1
    assert not asked(single)["control"].str.startswith("phase").any()
    assert readings(SimpleNamespace(vocab={"A": 0, "AC": 1, "ACG": 2})) == 1
    assert readings(SimpleNamespace(vocab=dict.fromkeys(["AC", "GT"]))) == 1


def test_each_reading_costs_what_its_own_tokens_cost(model):
    found = asked(model)
    at = found.set_index(["example", "context_bp", "control"])["prediction"]
    # A context of four bases may leave a reading none before the first scored one, less than a k-mer.
    assert set(found.loc[found["control"] != "", "context_bp"]) == {12}
    assert set(found["control"]) == {"", "phase_0", "phase_1", "phase_2"} and len(found) == 3 * 5
    for row in windows().itertuples():
        for phase in range(3):
            read = row.sequence[1 + phase :]  # of 19 bases 18 are whole k-mers
            words = [read[start : start + 3] for start in range(0, len(read) - 2, 3)]
            ids = torch.tensor([[model.tokenizer.vocab[word] for word in words]])
            with torch.no_grad():
                logs = model(ids, torch.ones_like(ids)).logits.log_softmax(-1)[0]
            by_base = np.full(len(read), np.nan)
            for place in range(1, len(words)):
                by_base[3 * place : 3 * place + 3] = -float(logs[place - 1, ids[0, place]]) / 3
            np.testing.assert_allclose(at[row.example, 12, f"phase_{phase}"], by_base[-SCORED:], rtol=1e-4)
        np.testing.assert_array_equal(at[row.example, 12, ""], at[row.example, 12, "phase_0"])
        assert np.isfinite(at[row.example, 12, ""]).all()
    # 18 bases are six k-mers; 17 are five and two bases more, 16 five and one more.
    assert [int(np.isnan(at["w0", 12, f"phase_{phase}"]).sum()) for phase in range(3)] == [0, 2, 1]


def test_all_readings_together_and_the_best_one():
    table, rows = windows(8).assign(group="one"), []
    costs = {"": 3.0, "phase_0": 3.0, "phase_1": 1.0, "phase_2": 2.0}
    for name in table["example"]:
        for control, bits in costs.items():
            nats = np.full(SCORED, bits * np.log(2))
            if control == "phase_2":
                nats[-3:] = np.nan
            rows.append((name, 12, control, nats))
    predictions = pd.DataFrame(rows, columns=["example", "context_bp", "control", "prediction"])
    metrics = score({**KEYS, "task": {"bootstrap": 20}}, table, predictions, None, {}).metrics
    values = metrics[metrics["subset"] == "all"].set_index("metric")["value"]
    assert values["bits_per_base"] == pytest.approx(3)
    assert values["bits_per_base_best_phase"] == pytest.approx(1)
    assert values["bits_per_base_all_phases"] == pytest.approx((3 * 7 + 1 * 7 + 2 * 4) / 18)
    assert set(metrics["protocol"]) == {"strict"}
    (row,) = phase_table(metrics.assign(context=metrics["context_bp"]))
    assert (row["ends with a whole k-mer"], row["the best reading"]) == ("3.000", "1.000")
    assert phase_table(metrics[metrics["metric"] == "bits_per_base"].assign(context=12)) == []
