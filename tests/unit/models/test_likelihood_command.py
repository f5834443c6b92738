"""`glmflow likelihood`: what it writes, and that what a model cannot score is one line and exit status 1."""

import gzip

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.cli import main
from glmflow.models import new_model

CONTEXT = 32
COMPLEMENT = str.maketrans("ACGT", "TGCA")
SEQUENCES = {"first": "ACGTTGCATTAC", "second": "ggcattacgt"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": CONTEXT}
    for name, causal in (("causal", True), ("masked", False)):
        new_model("small", {**size, "causal": causal}, seed=1).save(folder / name)
    return folder


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "sequences.fa.gz"
    with gzip.open(path, "wt") as file:
        file.write("".join(f">{name} of two\n{text[:5]}\n{text[5:]}\n" for name, text in SEQUENCES.items()))
    return path


def likelihood(model, fasta, output, *more):
    return main(["likelihood", "--model", str(model), "--fasta", str(fasta), "--output", str(output), *more])


def test_the_log_likelihood_of_each_sequence_in_nats(models, fasta, tmp_path):
    assert likelihood(models / "causal", fasta, tmp_path / "scores.tsv") == 0
    found = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
    assert list(found["sequence"]) == list(SEQUENCES) and list(found["length_bp"]) == [12, 10]
    model = new_model(
        "small", {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": CONTEXT, "causal": True}, 1
    )
    for text, value in zip(SEQUENCES.values(), found["log_likelihood"]):
        strands = [text.upper(), text.upper().translate(COMPLEMENT)[::-1]]
        sums = []
        for strand in strands:  # the definition: each base but the first, given those before it
            ids = torch.tensor([[2 + "ACGT".index(base) for base in strand]])
            with torch.no_grad():
                logs = model.eval()(ids).logits[0].double().log_softmax(-1)
            sums.append(sum(float(logs[t - 1, ids[0, t]]) for t in range(1, len(strand))))
        assert value == pytest.approx(np.mean(sums), rel=1e-5)


def test_probabilities_of_bases(models, fasta, tmp_path):
    assert likelihood(models / "masked", fasta, tmp_path / "bases.parquet", "--positions", "3", "9") == 0
    found = pd.read_parquet(tmp_path / "bases.parquet")
    assert list(found["sequence"]) == ["first", "first", "second", "second"]
    assert list(found["position"]) == [3, 9, 3, 9]
    np.testing.assert_allclose(found[list("ACGT")].sum(1), 1)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            ">a\nACGT\n>long\n" + "A" * 33 + "\n",
            [],
            "sequence long: a sequence of 33 bp has 33 tokens, small takes 32. Give --chunk to",
        ),
        (">a\nACGT\n", ["--positions", "4"], "sequence a: position 4 lies outside a sequence of 4 bp"),
        (">a\nACG!\n", [], "sequence a holds '!', which is no nucleotide"),
        (">a\nACGT\n>\nACGT\n", [], "given.fa:3: a sequence without a name"),
        ("ACGT\n", [], "given.fa:1: not FASTA"),
        ("", [], "no sequence in it"),
    ],
)
def test_what_cannot_be_scored_is_one_line(text, options, message, models, tmp_path, capsys):
    (tmp_path / "given.fa").write_text(text)
    assert likelihood(models / "masked", tmp_path / "given.fa", tmp_path / "scores.tsv", *options) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("glmflow likelihood: ") and message in lines[0]
    assert not (tmp_path / "scores.tsv").exists()


def test_sequences_that_were_cut_are_one_line(models, fasta, tmp_path, capsys):
    fasta.write_bytes(fasta.read_bytes()[:-12])
    assert likelihood(models / "masked", fasta, tmp_path / "scores.tsv") == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "sequences.fa.gz: damaged or cut short" in line


LONG = "ACGTTGCATTACGGATCCATTTGACCAGGTACCATGGCATTTACGCAGAT"
"""50 bases in a context of 32: by a quarter's overlap two chunks, 0 to 32 and 18 to 50."""


def small(causal):
    return new_model(
        "small", {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": CONTEXT, "causal": causal}, 1
    )


def log_probabilities(model, ids):
    with torch.no_grad():
        return model.eval()(ids[None]).logits[0].double().log_softmax(-1)


def token_ids(text):
    return torch.tensor([2 + "ACGT".index(base) for base in text])


def masked_at(model, place):
    """A base of `LONG` given all others of the chunk whose nearer edge is farther: the first one up to base 24."""
    start = 0 if place <= 24 else 18
    ids = token_ids(LONG[start : start + CONTEXT])
    ids[place - start] = model.tokenizer.mask_id
    return log_probabilities(model, ids)[place - start]


def test_a_long_sequence_is_scored_in_chunks_by_a_causal_model(models, tmp_path):
    (tmp_path / "long.fa").write_text(f">long\n{LONG}\n>short\nACGT\n")
    assert likelihood(models / "causal", tmp_path / "long.fa", tmp_path / "scores.tsv", "--chunk") == 0
    found = pd.read_csv(tmp_path / "scores.tsv", sep="\t").set_index("sequence")["log_likelihood"]
    model, strands = small(causal=True), []
    for strand in (LONG, LONG.translate(COMPLEMENT)[::-1]):  # base 32 on is seen from the second chunk, from base 18
        ids = token_ids(strand)
        first, second = log_probabilities(model, ids[:32]), log_probabilities(model, ids[18:])
        strands.append(sum(float((first[t - 1] if t < 32 else second[t - 19])[ids[t]]) for t in range(1, 50)))
    assert found["long"] == pytest.approx(np.mean(strands), rel=1e-5)
    assert found["short"] == pytest.approx(model.log_likelihood(["ACGT"])[0], rel=1e-5)


def test_a_long_sequence_is_scored_in_chunks_by_a_masked_model(models, tmp_path):
    (tmp_path / "long.fa").write_text(f">long\n{LONG}\n")
    model = small(causal=False)
    assert likelihood(models / "masked", tmp_path / "long.fa", tmp_path / "scores.tsv", "--chunk") == 0
    wanted = sum(float(masked_at(model, t)[token_ids(LONG)[t]]) for t in range(50))
    assert pd.read_csv(tmp_path / "scores.tsv", sep="\t")["log_likelihood"].item() == pytest.approx(wanted, rel=1e-5)
    options = ("--chunk", "--positions", "24", "25", "49")
    assert likelihood(models / "masked", tmp_path / "long.fa", tmp_path / "bases.tsv", *options) == 0
    found = pd.read_csv(tmp_path / "bases.tsv", sep="\t")[list("ACGT")].to_numpy()
    for row, place in zip(found, (24, 25, 49)):
        bases = masked_at(model, place)[2:6].exp().numpy()
        np.testing.assert_allclose(row, bases / bases.sum(), rtol=1e-5)


def test_a_causal_model_sees_the_bases_left_of_a_position_that_its_context_holds(models, tmp_path):
    (tmp_path / "long.fa").write_text(f">long\n{LONG}\n")
    options = ("--chunk", "--positions", "49")
    assert likelihood(models / "causal", tmp_path / "long.fa", tmp_path / "bases.tsv", *options) == 0
    found = pd.read_csv(tmp_path / "bases.tsv", sep="\t")[list("ACGT")].to_numpy()[0]
    bases = log_probabilities(small(causal=True), token_ids(LONG[49 - CONTEXT : 49]))[-1, 2:6].exp().numpy()
    np.testing.assert_allclose(found, bases / bases.sum(), rtol=1e-5)


def test_a_model_of_regions_says_why_not(fasta, tmp_path, capsys):
    from family_checks import fixture

    assert likelihood(fixture("get"), fasta, tmp_path / "scores.tsv") == 1
    assert "get does not support log-likelihood: its inputs are regions x motifs" in capsys.readouterr().err


def test_a_tuned_model_has_no_language_model_head(models, fasta, tmp_path, capsys):
    model = small(causal=True)
    model.drop_head()
    model.save(tmp_path / "tuned")
    assert likelihood(tmp_path / "tuned", fasta, tmp_path / "scores.tsv") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"glmflow likelihood: {tmp_path}/tuned: no language-model head to score with. ")
    assert "Give the checkpoint or pretrained model" in line and "not a tuned run" in line
