"""`glmflow generate`: what is on the disk, after a whole run, a blocked one and a killed one."""

import gzip
import json

import pandas as pd
import pytest
import yaml
from glmflow.cli import main
from glmflow.models import new_model
from glmflow.training import drawn_sequences

LENGTH = 80


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "small"
    new_model("small", {"causal": True, "hidden_size": 16, "num_heads": 2, "context": 64}, seed=1).save(folder)
    return folder


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "prompts.fa"
    path.write_text(">one\nACGTTGCAACGT\n>two\nggccttaagcatgcat\n")
    return path


@pytest.fixture
def generate(model, prompts, tmp_path):
    def run(name, *more, model=model):
        given = ["--model", str(model), "--prompts", str(prompts), "--n", "5", "--length", str(LENGTH), "--seed", "7"]
        return main(["generate", *given, "--output", str(tmp_path / name), *map(str, more)])

    return run


def table(folder):
    return pd.read_parquet(folder / "sequences.parquet")


def everything(folder):
    """Return all that stands in a folder's files, unpacked, as one text."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            found.append(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
            if path.suffix == ".parquet":
                found.append(pd.read_parquet(path).to_csv().encode())
    return b"\n".join(found).decode("latin-1")


def test_the_same_bytes_for_any_batch(generate, tmp_path):
    for name, batch in (("a", 1), ("c", 8)):
        assert generate(name, "--batch", batch, "--unscreened", "a random model") == 0
    assert len({(tmp_path / name / "sequences.fa.gz").read_bytes() for name in "ac"}) == 1
    found = table(tmp_path / "a")
    pd.testing.assert_frame_equal(
        found.drop(columns="log_likelihood"), table(tmp_path / "c").drop(columns="log_likelihood")
    )
    assert len(found) == 10 and set(found["length"]) == {LENGTH} and found["sequence"].nunique() == 10
    assert set("".join(found["sequence"])) <= set("ACGT")
    assert set(found["verdict"]) == {"not screened"}
    record = json.loads((tmp_path / "a/generation.json").read_text())
    assert record["gate"]["acknowledged"] == "a random model" and record["model"]["sha256"]
    assert "a random model" in (tmp_path / "a/audit.jsonl").read_text()


def test_nothing_of_what_is_blocked_is_on_the_disk(generate, tmp_path):
    generate("free", "--unscreened", "to know what will be drawn")
    drawn = table(tmp_path / "free")
    bad = drawn["sequence"][3]
    hazard = tmp_path / "hazard.fa"
    hazard.write_text(f">plague\n{bad[10:70]}\n")
    assert generate("screened", "--hazard", hazard, "--batch", "4") == 0
    found = table(tmp_path / "screened")
    assert found["verdict"].tolist() == ["blocked" if row == 3 else "passed" for row in range(10)]
    assert found["sequence"].tolist() == [text if row != 3 else "" for row, text in enumerate(drawn["sequence"])]
    assert not (tmp_path / "screened/.parts").exists()
    text = everything(tmp_path / "screened")
    assert drawn["sequence"][4][:20] in text  # the search would find it
    assert not any(bad[start : start + 14] in text for start in range(LENGTH - 14))
    assert main(["generate", "--verify", "--output", str(tmp_path / "screened")]) == 0


def test_all_blocked_has_a_status_of_its_own(generate, tmp_path, capsys):
    hazard = tmp_path / "hazard.fa"
    hazard.write_text(">homopolymer\n" + "A" * 60 + "\n>others\nACGTTGCAACGTGGCCTTAAGCATGCATACGT\n")
    command = tmp_path / "all.sh"
    command.write_text("#!/bin/sh\ngrep '^>' | tr -d '>'\n")
    command.chmod(0o755)
    assert generate("none", "--hazard", hazard, "--screen-command", command) == 2
    assert "0 of 10 sequences written" in capsys.readouterr().err
    assert gzip.decompress((tmp_path / "none/sequences.fa.gz").read_bytes()) == b""


def test_a_killed_run_goes_on(generate, tmp_path, monkeypatch):
    generate("whole", "--batch", "2", "--unscreened", "x")
    real, calls = drawn_sequences.draw, []

    def killed(*given):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(given)
        return real(*given)

    monkeypatch.setattr(drawn_sequences, "draw", killed)
    with pytest.raises(KeyboardInterrupt):
        generate("again", "--batch", "2", "--unscreened", "x")
    assert not (tmp_path / "again/sequences.fa.gz").exists()
    calls = []
    assert generate("again", "--batch", "2", "--unscreened", "x") == 0
    assert len(calls) == 2  # five parts, three of which were there
    assert (tmp_path / "again/sequences.fa.gz").read_bytes() == (tmp_path / "whole/sequences.fa.gz").read_bytes()
    assert main(["generate", "--verify", "--output", str(tmp_path / "again")]) == 0


def test_a_log_without_a_line_does_not_verify(generate, tmp_path, capsys):
    generate("run", "--batch", "4", "--unscreened", "x")
    path = tmp_path / "run/audit.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    for cut in range(3):
        path.write_text("".join(lines[:cut] + lines[cut + 1 :]))
        assert main(["generate", "--verify", "--output", str(tmp_path / "run")]) == 1
        assert "audit log does not hold" in capsys.readouterr().err


def interrupted(generate, monkeypatch, name, after, *more):
    """Start a run and stop it after some parts."""
    real, calls = drawn_sequences.draw, []

    def killed(*given):
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(given)
        return real(*given)

    with monkeypatch.context() as own:
        own.setattr(drawn_sequences, "draw", killed)
        with pytest.raises(KeyboardInterrupt):
            generate(name, "--batch", "2", *more)


def test_a_run_whose_log_was_begun_again_releases_nothing(generate, tmp_path, monkeypatch, capsys):
    interrupted(generate, monkeypatch, "run", 3, "--unscreened", "x")
    (tmp_path / "run/audit.jsonl").unlink()
    assert generate("run", "--batch", "2", "--unscreened", "x") == 1
    assert "an entry that sequences were released on is missing" in capsys.readouterr().err
    assert not (tmp_path / "run/sequences.fa.gz").exists()


def test_parts_that_were_not_screened_do_not_pass_for_screened(generate, tmp_path, monkeypatch):
    generate("free", "--unscreened", "to know what will be drawn")
    bad = table(tmp_path / "free")["sequence"][0]
    (tmp_path / "hazard.fa").write_text(f">plague\n{bad}\n")
    interrupted(generate, monkeypatch, "run", 3, "--unscreened", "x")
    assert generate("run", "--batch", "2", "--hazard", tmp_path / "hazard.fa") == 0
    assert table(tmp_path / "run")["verdict"].tolist() == ["blocked"] + ["passed"] * 9
    text = everything(tmp_path / "run")
    assert not any(bad[start : start + 14] in text for start in range(LENGTH - 14))


def test_no_base_of_what_is_blocked_outlives_a_crash(generate, tmp_path, monkeypatch):
    generate("free", "--unscreened", "to know what will be drawn")
    drawn = table(tmp_path / "free")["sequence"]
    (tmp_path / "hazard.fa").write_text(f">plague\n{drawn[3]}\n")
    for after in range(4):
        interrupted(generate, monkeypatch, f"run{after}", after, "--hazard", tmp_path / "hazard.fa")
        text = everything(tmp_path / f"run{after}")
        assert not any(drawn[3][start : start + 14] in text for start in range(LENGTH - 14))
        assert (drawn[0][:20] in text) == (after > 0)  # the search would find it


def test_sequences_that_were_exchanged_do_not_verify(generate, tmp_path, capsys):
    generate("run", "--unscreened", "x")
    path = tmp_path / "run/sequences.fa.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b">more\nACGT\n", mtime=0))
    assert main(["generate", "--verify", "--output", str(tmp_path / "run")]) == 1
    assert "not the sequences that were released" in capsys.readouterr().err


def test_two_runs_do_not_share_a_folder(generate, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    with drawn_sequences.held(tmp_path / "run"):
        assert generate("run", "--unscreened", "x") == 1
    assert "another glmflow generate writes into it" in capsys.readouterr().err
    assert generate("run", "--unscreened", "x") == 0


def test_mistakes_are_one_line(generate, tmp_path, model, capsys):
    hazard = tmp_path / "hazard.fa"
    hazard.write_text(">h\nACGTTGCAACGTGGCCTTAAGCATGCATACGT\n")
    cases = {
        ("--hazard", tmp_path / "absent.fa"): "no such file",
        (): "gate is not set",
        ("--unscreened", " "): "reason for releasing",
        ("--unscreened", "x", "--temperature", "0"): "temperature: 0.0 cannot be",
        ("--unscreened", "x", "--prompt-bases", "14"): "prompt one has no 14 bases",
        ("--unscreened", "x", "--length", "0"): "nothing to draw",
        ("--hazard", hazard, "--length", "8"): "sequences of 20 bases are too short to be screened",
    }
    for more, said in cases.items():
        assert generate("wrong", *more) == 1
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1, error
    assert not list((tmp_path / "wrong").glob("seq*")) if (tmp_path / "wrong").exists() else True
    assert main(["generate", "--verify", "--output", str(tmp_path)]) == 1


def test_a_model_that_requires_a_screen_is_not_drawn_from_without(generate, model, tmp_path, capsys):
    marked = tmp_path / "marked"
    new_model("small", {"causal": True, "hidden_size": 16, "num_heads": 2, "context": 64}, seed=1).save(marked)
    record = yaml.safe_load((marked / "model.yaml").read_text())
    (marked / "model.yaml").write_text(yaml.safe_dump(record | {"gate_required": True}))
    for more in (("--unscreened", "x"), ("--screen-command", "true")):
        assert generate("marked-run", *more, model=marked) == 1
        assert "gate_required" in capsys.readouterr().err


def test_completion_of_genes_with_its_floors(model, tmp_path, capsys):
    pytest.importorskip("Bio.Align")
    coding = "ATG" + "GCTAAAGAACTG" * 10 + "TAA"
    protein = "M" + "AKEL" * 10 + "*"
    panel = tmp_path / "panel.csv"
    header = "gene,organism,cds_start,reference_protein,genomic_sequence"
    panel.write_text(f"{header}\nmade,none,20,{protein},{'ACGT' * 5}{coding}\n")
    (tmp_path / "train.fa").write_text(">t\n" + coding * 3 + "\n")
    given = ["complete", "--panel", str(panel), "--samples", "4", "--train", str(tmp_path / "train.fa")]
    assert main([*given, "--model", str(model), "--output", str(tmp_path / "scores.tsv")]) == 0
    found = pd.read_csv(tmp_path / "scores.tsv", sep="\t").set_index("source")
    assert list(found.index) == ["small", "Markov-5", "shuffled protein", "truth"]
    assert found["n"].tolist() == [4, 4, 4, 1]
    assert found.loc["truth", ["official", "strict"]].tolist() == [100, 100]
    assert found["strict"]["Markov-5"] > 50 > found["strict"]["small"]  # four codons in turn: the chain knows them
    assert (found["strict"] <= found["official"].fillna(0) + 1e-9).all() or found["unscored"].sum()
    assert "truth" in capsys.readouterr().out


def test_regions_of_a_genome_are_prompts(model, tmp_path, capsys):
    genome, bed = tmp_path / "genome.fa", tmp_path / "regions.bed"
    genome.write_text(">chr1\n" + "ACGGTTCA" * 4 + "\n")
    bed.write_text("chr1\t1\t5\tone\t0\t+\nchr1\t8\t14\ttwo\t0\t-\n")
    given = ["--model", str(model), "--length", "30", "--unscreened", "a random model", "--keep-prompt"]
    where = ["--prompts", str(genome), "--bed", str(bed)]
    assert main(["generate", *given, *where, "--prompt-bases", "3", "--output", str(tmp_path / "out")]) == 0
    found = table(tmp_path / "out")
    assert found["name"].tolist() == ["chr1:1-5_0", "chr1:8-14(-)_0"]
    assert found["sequence"].str[:3].tolist() == ["GGT", "CGT"]  # of CGGT, and of ACGGTT read off the other strand
    assert main(["generate", *given, "--bed", str(bed), "--output", str(tmp_path / "none")]) == 1
    assert "regions of no genome" in capsys.readouterr().err
