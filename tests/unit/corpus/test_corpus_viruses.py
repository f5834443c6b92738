"""Viruses of eukaryotes: left out of a corpus unless a reason is written, which models carry on."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from glmflow.cli import main
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.corpus.sequence_records import read_records
from glmflow.models import load_model
from glmflow.training.extend import extend_model
from glmflow.training.pretrain import pretrain
from glmflow.training.pretraining_source import CorpusSource
from pydantic import ValidationError

REASON = "a classifier of poxviruses, agreed with the committee"


def genbank(name, definition, lineage, code, bases, host=""):
    said = f'                     /host="{host}"\n' if host else ""
    return f"""LOCUS       {name}      {len(bases)} bp    DNA     linear   {code} 01-JAN-2020
DEFINITION  {definition},
            complete genome.
VERSION     {name}.1
  ORGANISM  {definition}
            {lineage}.
FEATURES             Location/Qualifiers
     source          1..{len(bases)}
{said}ORIGIN
        1 {bases.lower()}
//
"""


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(1)
    bases = ["".join(rng.choice(list("ACGT"), 600)) for _ in range(5)]
    records = [
        genbank("AA_1", "Escherichia coli K-12", "Bacteria; Pseudomonadota; Escherichia", "BCT", bases[0]),
        genbank("AA_2", "Variola virus", "Viruses; Varidnaviria; Poxviridae; Orthopoxvirus", "VRL", bases[1]),
        genbank("AA_3", "Escherichia virus T4", "Viruses; Caudoviricetes; Straboviridae", "PHG", bases[2]),
        genbank("AA_4", "Pond virus 7", "Viruses; unclassified viruses", "VRL", bases[3], host="Homo sapiens"),
    ]
    (tmp_path / "all.gb").write_text("".join(records))
    (tmp_path / "bare.fa").write_text(f">plain\n{bases[4]}\n")
    return tmp_path


def made(folder, name="corpus", **settings):
    block = {
        "sources": [{"path": f"{folder}/all.gb"}, {"path": f"{folder}/bare.fa"}],
        "split": {"by": "contig", "validation": 0, "test": 0},
        "min_length": 100,
        **settings,
    }
    return build(block, folder / name)


def test_records_say_where_they_come_from(source):
    found = list(read_records(source / "all.gb"))
    assert [one.code for one in found] == ["BCT", "VRL", "PHG", "VRL"]
    assert found[1].title == "Variola virus, complete genome."
    assert found[1].lineage == ("Viruses", "Varidnaviria", "Poxviridae", "Orthopoxvirus")
    assert [one.host for one in found] == ["", "", "", "Homo sapiens"]


def test_they_are_left_out_and_named(source):
    table = made(source)
    assert table["sequence"].tolist() == ["AA_1.1", "AA_3.1", "plain"]
    named = pd.read_csv(source / "corpus/viruses.tsv", sep="\t")
    assert named["sequence"].tolist() == ["AA_2.1", "AA_4.1"] and set(named["what"]) == {"left out"}
    assert "Homo sapiens" in named["why"][1]
    assert Corpus(source / "corpus").exclusions == (2, 0, None, 1)
    assert "viruses of eukaryotes\t2" in (source / "corpus/counts.tsv").read_text()


def test_a_reason_keeps_them_and_is_logged(source, caplog):
    table = made(source, keep_eukaryotic_viruses=REASON)
    assert len(table) == 5 and REASON in caplog.text
    assert Corpus(source / "corpus").exclusions == (0, 2, REASON, 1)
    with pytest.raises(ValidationError, match="keep_eukaryotic_viruses"):
        made(source, keep_eukaryotic_viruses="yes")


@pytest.mark.parametrize("reason", [None, REASON])
def test_models_carry_it_and_are_drawn_from_behind_a_screen(source, reason, capsys):
    torch.set_num_threads(1)
    made(source, keep_eukaryotic_viruses=reason)
    config = {"causal": True, "hidden_size": 8, "num_layers": 1, "num_heads": 1, "context": 64}
    settings = {"family": "small", "config": config, "length": 32, "steps": 1, "batch": 2, "corpus": "corpus"}
    model = source / "model"
    pretrain(settings, CorpusSource(source / "corpus"), 1, source / "training", model)
    origin = yaml.safe_load((model / "model.yaml").read_text())["origin"]
    assert (origin["corpus"], origin["gate_required"]) == ("corpus", reason is not None)
    block = {"model": "corpus", "method": "pi", "factor": 2.0, "length": 64, "steps": 0}
    extend_model(block, model, pd.DataFrame(), source / "none.fa", 1, source / "extended", source / "longer")
    assert yaml.safe_load((source / "longer/model.yaml").read_text())["origin"]["gate_required"] == (reason is not None)
    load_model(model).save(source / "again")
    assert yaml.safe_load((source / "again/model.yaml").read_text())["origin"]["gate_required"] == (reason is not None)
    asked = ["generate", "--model", str(source / "again"), "--prompts", str(source / "bare.fa"), "--prompt-bases", "8"]
    asked += ["--length", "20", "--output", str(source / "drawn")]
    status = main([*asked, "--unscreened", "a test of the gate"])
    if reason:
        assert status == 1 and "behind a screen" in capsys.readouterr().err
        assert not (source / "drawn").exists()
        (source / "hazard.fa").write_text(">h\n" + "ACGGT" * 20 + "\n")
        assert main([*asked, "--hazard", str(source / "hazard.fa")]) in (0, 2)
        found = json.loads((source / "drawn/generation.json").read_text())["model"]
        assert found["kept_eukaryotic_viruses"] == REASON and REASON in (source / "drawn/audit.jsonl").read_text()
    else:
        assert status == 0
        assert json.loads((source / "drawn/generation.json").read_text())["model"]["excluded"] == {
            "viruses of eukaryotes": 2
        }
