"""Sequences of several lengths in a batch: padding takes no part, and both strands are read where both were learned."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.bases import reverse_complement
from glmflow.models import new_model
from glmflow.training.inputs.labelled_sequences import (
    LabelledSequences,
    Middles,
    collate,
    learned_and_held_out,
    part_of_training,
    predicted,
    shuffled_around,
)
from glmflow.training.inputs.sequence_lengths import LengthCounts
from glmflow.training.ready import Predictor
from glmflow.training.tuned import RunBlocks, new_tuned
from tiny_sequences import toy_study

torch.set_num_threads(1)
SMALL = {"hidden_size": 16, "num_heads": 2, "num_layers": 2, "convolution": 5}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("toy"))[1]


def tuned(settings, family="small", config=SMALL, **adaptation):
    settings = settings | {"adaptation": settings["adaptation"] | adaptation}
    torch.manual_seed(0)
    return new_tuned(RunBlocks.of(settings), new_model(family, config, seed=1), {"classes": ["with", "without"]}).eval()


def table(*sequences):
    names = [f"row{number}" for number in range(len(sequences))]
    return pd.DataFrame({"example": names, "sequence": sequences, "target": "with"})


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("family", ["small", "promoter_cnn"])
def test_a_sequence_in_a_padded_batch_is_predicted_as_alone(runs, family, pool):
    config = SMALL if family == "small" else {}
    model = tuned(runs["cnn", "full"], family, config, head={"kind": "pooled", "pool": pool, "dropout": 0.0})
    rng = np.random.default_rng(0)
    items = LabelledSequences(
        table(*("".join(rng.choice(list("ACGT"), length)) for length in (30, 64, 9))), ["with"], 64
    )
    tokenize = partial(model.adapter.tokenize, chunk=True)

    def alone(*numbers):
        with torch.no_grad():
            return model(**collate([items(number, None) for number in numbers], tokenize))["predictions"]

    torch.testing.assert_close(alone(0, 1, 2), torch.cat([alone(number) for number in range(3)]))


def test_the_middle_of_a_longer_sequence_is_read():
    for sequence, length, read in (("AACGTT", 4, b"ACGT"), ("ACGTA", 2, b"CG"), ("ACG", 8, b"ACG")):
        assert Middles(table(sequence), length)[0].tobytes() == read


def test_half_of_the_training_items_are_turned_and_no_other():
    items = LabelledSequences(table("AACGT"), ["with"], 8, reverse_complement=True)
    rng = np.random.default_rng(0)
    drawn = [items(0, rng)["sequence"].tobytes() for _ in range(100)]
    assert set(drawn) == {b"AACGT", b"ACGTT"} and 30 < drawn.count(b"ACGTT") < 70
    assert items(0, None)["sequence"].tobytes() == b"AACGT"


def test_probabilities_of_both_strands_are_averaged(runs):
    model = tuned(runs["cnn", "full"])
    predictor = Predictor(model, RunBlocks.of(runs["cnn", "full"]))
    rng = np.random.default_rng(0)
    sequences = [rng.choice(np.frombuffer(b"ACGT", np.uint8), 40) for _ in range(3)]
    turned = [reverse_complement(sequence) for sequence in sequences]
    one, other = (predicted(predictor, read, both=False) for read in (sequences, turned))
    both = predicted(predictor, sequences, both=True)
    assert np.abs(one - other).max() > 1e-4
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-5)
    np.testing.assert_allclose(both.sum(1), 1, rtol=1e-5)


def rows(count=100):
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "example": [f"e{i}" for i in range(count)],
            "sequence": ["".join(generator.choice(list("ACGT"), 30)) for _ in range(count)],
            "target": np.array(["a", "b"])[np.arange(count) % 2],
            "group": [f"g{i // 2}" for i in range(count)],
            "split": np.repeat(["train", "validation", "test"], [count - 30, 10, 20]),
        }
    )


def test_folds_part_training_and_validation_rows_by_the_seed_and_leave_the_test_rows():
    table = rows()
    held = [learned_and_held_out(table, 8, seed)[1]["example"].tolist() for seed in range(1, 9)]
    assert sorted(name for part in held for name in part) == sorted(table.loc[table["split"] != "test", "example"])
    learned, own = learned_and_held_out(table, 8, 3)
    assert not set(learned["example"]) & set(own["example"]) and len(learned) + len(own) == 80
    plain, validation = learned_and_held_out(table, None, 3)
    assert set(plain["split"]) == {"train"} and set(validation["split"]) == {"validation"}


def test_smaller_shares_of_the_training_rows_lie_in_larger_ones_and_keep_every_class():
    learned = rows().query("split == 'train'")
    few, more = (set(part_of_training(learned, share).tolist()) for share in (0.1, 0.5))
    assert few < more and len(few) == pytest.approx(7, abs=2) and len(part_of_training(learned, 1.0)) == 70
    assert set(learned["target"].to_numpy()[list(few)]) == {"a", "b"}


def test_bases_around_the_middle_are_shuffled_alike_each_time():
    sequence = np.frombuffer(("ACGT" * 25).encode(), np.uint8)
    found = shuffled_around(sequence, 20)
    assert (found[40:60] == sequence[40:60]).all() and (found != sequence).any()
    for side in (slice(0, 40), slice(60, 100)):
        assert sorted(found[side]) == sorted(sequence[side])
    assert (found == shuffled_around(sequence, 20)).all()
    assert (shuffled_around(sequence, 200) == sequence).all()


def test_what_becomes_of_sequences_is_counted():
    model = new_model(
        "small", {"hidden_size": 8, "num_heads": 2, "num_layers": 1, "context": 20, "causal": False}, seed=1
    )
    counts = LengthCounts(model, length=25, batch=2)
    codes = [np.frombuffer(text.encode(), np.uint8) for text in ("A" * 25, "ACGTN", "AC" * 5, "AC" * 5)]
    counts.add(codes, np.array([40, 5, 10, 10]))
    found = counts.table().set_index("what")["count"].to_dict()
    assert found == {"cut": 1, "chunked": 1, "padded": 1, "ambiguous": 1} and (counts.table()["of"] == 4).all()
    counts = LengthCounts(model, length=25, batch=2, padded_to=25)
    counts.add(codes, np.array([40, 5, 10, 10]))
    assert counts.table().set_index("what")["count"].to_dict() == {
        "cut": 1,
        "chunked": 1,
        "padded_left": 3,
        "ambiguous": 1,
    }
