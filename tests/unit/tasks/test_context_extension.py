"""What a model is asked about its context, and how its answers are scored and compared."""

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.config import read_study
from glmflow.config.tasks import ContextExtension
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.models.tokenizers import KmerTokenizer, kmers
from glmflow.tasks import repeats
from glmflow.tasks.context_extension import (
    examples,
    loss_examples,
    queries,
    recall_examples,
    score,
)
from running import ROOT

SEGMENT = 32


def make_examples():
    rng = np.random.default_rng(0)
    chain = repeats.markov_chain(rng)
    windows = repeats.plant_copies(repeats.markov_sequences(chain, 6, 512, rng), rng)
    found = repeats.needles(repeats.markov_sequences(chain, 4, 512, rng), rng, [64, 300], SEGMENT)
    return windows, found, pd.concat([loss_examples(windows, 64), recall_examples(found, SEGMENT)])


def copier(query):
    """A model that knows a base when the 12 before it occur earlier, on this strand, and guesses otherwise."""
    nats = np.full(query.scored, np.log(4.0))
    distance = repeats.find_repeats(query.sequence, 12)[-query.scored :]
    for place in np.flatnonzero(distance):
        index = len(query.sequence) - query.scored + place
        right = query.sequence[index] == query.sequence[index - distance[place]]
        nats[place] = 0.1 if right else 3.0
    return nats


def predict(examples, contexts, model=copier, masked=False):
    rows = []
    for query in queries(examples, contexts):
        nats = model(query)
        rows.append((query.example, query.context_bp, np.where(query.hidden, nats, np.nan) if masked else nats))
    return pd.DataFrame(rows, columns=["example", "context_bp", "prediction"])


def by_key(rows):
    return {(row["metric"], row["subset"], row["context_bp"]): row for row in rows}


@pytest.mark.parametrize("masked", [False, True])
def test_the_same_bases_are_scored_at_every_context(masked):
    windows, _, examples = make_examples()
    rows = by_key(score(examples, predict(examples, [128, 256, 512], masked=masked), draws=50))
    asked = np.arange(64) % 7 == 0 if masked else np.ones(64, bool)
    last = windows.repeat[:, -64:][:, asked]
    for context in (128, 256, 512):
        assert rows["loss", "all", context]["n"] == 6  # windows, the units that are resampled
        repeat, background = (rows["loss", subset, context]["value"] for subset in ("repeat", "background"))
        pooled = last.mean() * repeat + (1 - last.mean()) * background
        assert rows["loss", "all", context]["value"] == pytest.approx(pooled)


def test_a_model_that_copies_gains_on_repeats_alone():
    _, _, examples = make_examples()
    rows = by_key(score(examples, predict(examples, [128, 512]), draws=50))
    assert rows["loss", "repeat", 512]["value"] < rows["loss", "repeat", 128]["value"] - 0.1
    assert rows["loss", "background", 512]["value"] == pytest.approx(np.log(4), abs=0.1)


def test_recall_is_what_the_copy_is_worth():
    _, _, examples = make_examples()
    rows = by_key(score(examples, predict(examples, [128]), draws=50))
    for distance in (64, 300):
        exact = rows["copy_advantage", "exact", distance]
        # 24 bases are scored: the copier recognises the copy after 12, of which 8 are left out of scoring.
        assert exact["value"] == pytest.approx((24 - 4) / 24 * (np.log(4) - 0.1), abs=0.02)
        assert exact["n"] == 4
        assert rows["copy_advantage", "mutated", distance]["value"] < exact["value"]
        assert rows["copy_advantage", "reverse_complement", distance]["value"] == pytest.approx(0, abs=0.05)


def test_a_control_is_asked_once_for_all_its_needles():
    _, found, examples = make_examples()
    assert len(found) == 4 * 2 * 3
    assert (examples["variant"] == "control").sum() == 4


def test_a_context_that_cannot_be_asked_is_refused():
    _, _, examples = make_examples()
    for context in (64, 1024):
        with pytest.raises(InputError, match=f"a context of {context} bases"):
            list(queries(examples, [context]))


def test_a_missing_prediction_is_refused():
    _, _, examples = make_examples()
    predictions = predict(examples, [128])
    with pytest.raises(InputError, match="1 examples have no prediction, loss0"):
        score(examples, predictions[predictions["example"] != "loss0"])


TASK = ContextExtension(
    kind="context_extension",
    contexts=[64, 256],
    scored=32,
    examples=5,
    repeat_k=8,
    recall={"segment": 16, "distances": [32, 200], "trials": 3},
)


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Contig `a` is unknown but for its last 1,000 bases; `b` repeats itself every 100 bases."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    rng = np.random.default_rng(0)
    unit = "".join(rng.choice(list("ACGT"), 100))
    known = "".join(rng.choice(list("ACGT"), 1000))
    path.write_text(f">a\n{'N' * 1000}{known}\n>b\n{unit * 20}\n")
    pysam.faidx(str(path))
    return Reference(path)


def regions(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end", "split"])


def test_windows_come_from_test_regions_and_hold_hardly_any_unknown_base(genome):
    table = examples(TASK, regions(("a", 0, 2000, "test"), ("b", 0, 2000, "train")), genome)
    assert table["example"].is_unique
    loss = table[table["subset"] == "loss"]
    assert len(loss) == 5 and (table["sequence"].str.len() == 256).all()
    for name, sequence in zip(loss["example"], loss["sequence"]):
        chrom, _, place = name.partition(":")
        start, end = map(int, place.split("-"))
        assert chrom == "a" and sequence == genome.fetch("a", start, end).tobytes().decode()
        assert sequence.count("N") <= 25 and "N" not in sequence[-32:]
    recall = table[table["subset"] == "recall"]
    assert (recall["variant"] == "control").sum() == 3 and len(recall) == 3 + 3 * 2 * 3


def test_repeats_beyond_the_shortest_context_are_marked_far(genome):
    table = examples(TASK, regions(("b", 0, 2000, "test")), genome)
    assert set("".join(table.loc[table["subset"] == "loss", "repeat"])) == {"2"}  # 100 bases back, the context is 64


def test_a_copy_is_the_same_kmers_as_the_segment(genome):
    study = read_study(ROOT / "config/studies/context_nucleotide_transformer.yaml")
    asked = study.tasks["context"].model_dump() | {"contexts": [300, 960], "scored": 60, "examples": 2}
    asked["recall"] |= {"segment": 60, "distances": [61, 500, 899], "trials": 4, "variants": ["exact"]}
    table = examples(ContextExtension(**asked), regions(("a", 0, 2000, "test")), genome)
    needles = table[(table["subset"] == "recall") & (table["variant"] != "control")]
    vocab = {kmer: index for index, kmer in enumerate([*kmers(6, "ACGT"), *"NACGT"])}
    tokenizer = KmerTokenizer(vocab, 6, single_bases=True)
    for sequence in needles["sequence"]:
        assert "N" not in sequence
        ids = tokenizer.pieces(np.frombuffer(sequence.encode(), np.uint8)).ids
        assert len(ids) == 160
        assert any(np.array_equal(ids[start : start + 10], ids[-10:]) for start in range(141))
    assert len(needles) == 4 * 3


def test_lengths_off_the_grid_of_tokens_are_refused():
    for change, name in (({"contexts": [64, 255]}, "contexts: 64"), ({}, "scored: 32")):
        with pytest.raises(ValueError, match=f"{name} is no multiple of bases_per_token 3"):
            ContextExtension(**TASK.model_dump() | {"bases_per_token": 3, "contexts": [63, 255], **change})


def test_a_genome_without_long_enough_test_regions_is_refused(genome):
    with pytest.raises(InputError, match="no test region holds a window of 256 bp"):
        examples(TASK, regions(("a", 0, 255, "test"), ("b", 0, 2000, "train")), genome)
    with pytest.raises(InputError, match="not rich in N"):
        examples(TASK, regions(("a", 0, 1000, "test")), genome)
