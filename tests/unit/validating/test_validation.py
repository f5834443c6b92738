"""Validation of generated sequences: what differs is said, what cannot be told apart too, and copies are found."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from glmflow.bases import other_strand
from glmflow.cli import main
from glmflow.dna.low_complexity import low_windows
from glmflow.errors import InputError
from glmflow.likeness.control_groups import controls
from glmflow.likeness.group_values import REAL, values_of
from glmflow.likeness.judgement import sentences
from glmflow.likeness.memorisation import memorisation
from glmflow.likeness.pieces import cut, divided, sampled, suited_size
from glmflow.validating.validation_run import ValidationRequest, validate


def drawn(length, seed, shares=(0.25, 0.25, 0.25, 0.25)):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length, p=shares))


# Pieces


def test_pieces_are_of_one_length():
    assert cut(["A" * 10, "C" * 3], 4) == ["AAAA", "AAAA", "CCC"]
    assert cut(["N" * 8 + "ACGT"], 4) == ["ACGT"]
    assert suited_size([1000] * 50) == 1000
    assert suited_size([20_000]) == 1000
    assert suited_size([300, 300]) == 300


def test_floor_and_reference_share_nothing():
    pieces = [str(number) for number in range(12)]
    floor, reference = divided(pieces, 3, np.random.default_rng(0))
    assert len(floor) == 3 and sorted(floor + reference, key=int) == pieces
    assert len(divided(pieces, 100, np.random.default_rng(0))[0]) == 4
    with pytest.raises(InputError, match="8 pieces of real sequences"):
        divided(pieces[:8], 5, np.random.default_rng(0))


def test_sampled_pieces_are_there():
    sequences = [drawn(100, 1), drawn(300, 2)]
    found = sampled(sequences, [50, 200], np.random.default_rng(0))
    assert [len(piece) for piece in found] == [50, 200]
    assert all(any(piece in sequence for sequence in sequences) for piece in found)
    with pytest.raises(InputError, match="no sequence of 301 bases"):
        sampled(sequences, [301], np.random.default_rng(0))


def test_controls_are_as_many_and_as_long():
    real, training = [drawn(60, seed) for seed in range(3)], [drawn(2000, 9)]
    found = dict(controls(real, training, {"a stranger": [drawn(500, 8)]}, np.random.default_rng(0)))
    assert len(found) == 10
    assert all([len(piece) for piece in pieces] == [60] * 3 for pieces in found.values())
    assert all(piece in training[0] for piece in found["training copy"])


# Values and words


def facts(mean, seed, count=20):
    generator = np.random.default_rng(seed)
    return [{"matches": np.array([generator.normal(mean, 1), 0, 0, 100, 1])} for _ in range(count)]


def test_what_differs_and_what_a_statistic_sees():
    groups = {"generated": facts(10, 1), REAL: facts(10, 2), "near": facts(10.1, 3), "far": facts(14, 4)}
    table = values_of(groups, {}, 300).set_index(["statistic", "group"])
    assert set(table.index.get_level_values(0)) == {"longest_match", "covered_32", "covered_50"}
    own = table.loc["longest_match"]
    assert own["differs"].to_dict() == {"generated": False, REAL: False, "near": False, "far": True}
    assert set(own["detects"]) == {"far"}
    assert set(table.loc["covered_32", "detects"]) == {""}
    assert ((own["ci_low"] < own["value"]) & (own["value"] < own["ci_high"])).all()
    assert own["ci_high"]["near"] - own["ci_low"]["near"] == pytest.approx(4 / np.sqrt(20), rel=0.35)
    assert own["floor"].nunique() == 1


def test_copies_above_what_real_sequences_share():
    def match(length, forward=True):
        of = SimpleNamespace(length=np.full(500, length), covered=lambda least: 500 * (length >= least), longest=length)
        of.forward, of.reverse = (length, 5) if forward else (5, length)
        return of

    table, threshold = memorisation(list("abc"), [match(12), match(400), match(90, False)], [20] * 99 + [80])
    assert 20 < threshold < 80 or threshold == pytest.approx(20.6, abs=0.5)
    assert table["above"].tolist() == [False, True, True]
    assert table["strand"].tolist() == ["+", "+", "-"]
    assert table["covered_50"].tolist() == [0, 500, 500]


def said(differs, covered, above):
    row = {"label": "coding share", "level": "Genes", "value": 0.2, "ci_low": 0.1, "ci_high": 0.3, "floor": 0.9}
    row |= {"floor_low": 0.8, "floor_high": 0.95, "detects": "Markov-5", "differs": differs, "group": "generated"}
    rows = [row | {"statistic": "coding"}]
    for group, value in (("generated", covered), ("real, held out", 0.06), ("training copy", 1.0)):
        rows.append(
            row | {"statistic": "covered_32", "label": "in matches", "group": group, "value": value, "detects": ""}
        )
    copies = pd.DataFrame({"longest": [10, 900], "above": [False, above]})
    return " ".join(sentences(pd.DataFrame(rows), copies, 500.0, ""))


def test_findings_in_words():
    text = said(differs=True, covered=0.0, above=False)
    assert "differ from held-out real ones in 1 of 1" in text and "coding share 0.2, real 0.9 [0.8, 0.95]" in text
    assert "No copy of training, and none of its repeats either" in text
    assert "A Markov-5 chain passes 1 statistics as real (in matches)" in text
    text = said(differs=False, covered=0.5, above=True)
    assert "in none of 1" in text
    assert "1 of 2 generated sequences hold a longer exact match to training" in text and "the longest has 900" in text


def test_low_complexity():
    assert low_windows("A" * 128) == (2, 2)
    assert low_windows("ACACACAC" * 8) == (1, 1)
    assert low_windows(drawn(6400, 3))[0] == 0
    assert low_windows("A" * 63) == (0, 0)
    assert low_windows("A" * 64 + "N" * 64) == (1, 1)


# The command


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validate")
    training, held_out = drawn(30_000, 1), drawn(12_000, 2)
    generated = [drawn(400, seed, (0.4, 0.1, 0.1, 0.4)) for seed in range(10, 21)] + [other_strand(training[9000:9400])]
    for name, sequences in {"train": [training], "source": [held_out], "generated": generated}.items():
        (folder / f"{name}.fa").write_text("".join(f">{name}{n}\n{text}\n" for n, text in enumerate(sequences)))
    return folder


def test_the_command(files, capsys, monkeypatch):
    monkeypatch.setattr("glmflow.dna.gene_calls.genes_known", lambda: False)
    given = [part for name in ("generated", "source", "train") for part in (f"--{name}", str(files / f"{name}.fa"))]
    assert main(["validate", *given, "--output", str(files / "out"), "--draws", "100"]) == 0
    printed = capsys.readouterr().out
    assert "1 of 12 generated sequences hold a longer exact match to training" in printed
    assert "pyrodigal is not installed" in printed
    values = pd.read_csv(files / "out/validation.tsv", sep="\t")
    gc = values[values["statistic"] == "gc"].set_index("group")
    assert gc["differs"]["generated"] and not gc["differs"]["Markov-5"] and not gc["differs"]["training copy"]
    assert gc["value"]["generated"] == pytest.approx(0.25, abs=0.05)
    copies = pd.read_csv(files / "out/memorisation.tsv", sep="\t").set_index("sequence")
    assert copies.loc["generated11", ["longest", "strand", "above"]].tolist() == [400, "-", True]
    assert copies["above"].sum() == 1
    page = (files / "out/validation.html").read_text()
    record = json.loads((files / "out/validation.json").read_text())
    assert all(sentence.split(":")[0][:60] in page for sentence in record["findings"])
    assert record["pieces"]["generated"] == record["pieces"]["Markov-5"] == 10
    named = {"generated": files / "generated.fa", "source": files / "source.fa", "training": files / "train.fa"}
    assert validate(ValidationRequest(**named, others={}, draws=100), files / "again") == record["findings"]
    assert pd.read_csv(files / "out/along.tsv", sep="\t").empty and 'id="along"' not in page  # sequences of 400 bases
    assert (files / "again/validation.tsv").read_bytes() == (files / "out/validation.tsv").read_bytes()


def test_too_few_real_sequences(files, capsys):
    (files / "few.fa").write_text(f">one\n{drawn(900, 4)}\n")
    given = [
        "--generated",
        str(files / "generated.fa"),
        "--train",
        str(files / "train.fa"),
        "--output",
        str(files / "o"),
    ]
    assert main(["validate", *given, "--source", str(files / "few.fa")]) == 1
    assert "pieces of real sequences" in capsys.readouterr().err
    assert not (files / "o").exists()


def run(folder, name, text, *more, source="source.fa"):
    (folder / name).write_text(text)
    given = ["--generated", name, "--source", source, "--train", "train.fa", "--output", "odd", "--draws", "20", *more]
    paths = [str(folder / part) if part.endswith((".fa", "odd")) else part for part in given]
    return main(["validate", *paths])


def test_what_cannot_be_compared_is_one_line(files, capsys):
    good = [drawn(400, seed) for seed in range(12)]
    odd = {
        "one.fa": ([good[0]], "1 generated sequences give 1 pieces of 400 bases"),
        "unknown.fa": (
            ["N" * 400] * 12,
            "12 generated sequences give 0 pieces of 400 bases with at most 5% of N; 3 are needed",
        ),
        "gaps.fa": ([text[:300] + "N" * 100 for text in good], "give 0 pieces"),
        "empty.fa": ([""] * 3, "0 generated sequences give 0 pieces"),
        "short.fa": ([text[:20] for text in good], "give 0 pieces of 50 bases"),
        "rna.fa": ([text.replace("T", "U") for text in good], "holds 'U', which is no nucleotide"),
        "protein.fa": (["MKLVENSTOPQRFILHW" * 20] * 5, "which is no nucleotide"),
    }
    for name, (sequences, said) in odd.items():
        text = "".join(f">{place}\n{one}\n" for place, one in enumerate(sequences))
        assert run(files, name, text) == 1, name
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1, (name, error)
    assert not (files / "odd").exists()


def test_copies_of_one_another_and_real_sequences_that_were_trained_on_are_said(files, capsys, monkeypatch):
    monkeypatch.setattr("glmflow.dna.gene_calls.genes_known", lambda: False)
    same = "".join(f">{place}\n{drawn(400, 5)}\n" for place in range(12))
    assert run(files, "same.fa", same, source="train.fa") == 0
    said = capsys.readouterr().out
    assert "Generated sequences repeat one another: 100% of their 21-mers" in said
    assert "were not held out: 100% of their bases" in said
