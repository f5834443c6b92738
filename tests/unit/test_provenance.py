"""What the report says of how it was made."""

import hashlib
import json

import yaml
from glmflow.config import Study
from glmflow.provenance import record_command, typed_command, write_provenance
from running import ROOT


def command_of(study, folder):
    write_provenance(study, [], "snakemake --cores all", folder / "provenance.json")
    return json.loads((folder / "provenance.json").read_text())


def test_the_command_is_the_one_that_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study.model_validate(yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text()))
    assert typed_command(study.results) is None
    assert command_of(study, tmp_path)["command"] == "snakemake --cores all (what was typed is not known)"
    record_command(study.results, ["/opt/bin/snakemake", "-c", "2", "--config", "title=two words"])
    found = command_of(study, tmp_path)
    assert found["command"] == "snakemake -c 2 --config 'title=two words'"
    assert found["rerun"] == "snakemake {path} --cores all"


def test_every_file_that_is_named_has_its_checksum(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study.model_validate(yaml.safe_load((ROOT / "tests/workflow/tiny.yaml").read_text()))
    (tmp_path / "labels.csv").write_text("sequence,label\n")
    (tmp_path / "motifs").mkdir()
    files = ["labels.csv", "motifs", "missing.vcf"]
    write_provenance(study, [], "snakemake", tmp_path / "provenance.json", files)
    sums = json.loads((tmp_path / "provenance.json").read_text())["checksums"]
    assert sums["labels.csv"] == hashlib.sha256(b"sequence,label\n").hexdigest() and {
        "motifs",
        "missing.vcf",
    }.isdisjoint(sums)
