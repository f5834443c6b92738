"""Broken YAML is one line that names the line of the mistake."""

import re
import tomllib

import pytest
import yaml
from glmflow.cli import main
from glmflow.config import read_yaml
from glmflow.errors import InputError
from running import ROOT

TINY = ROOT / "tests/workflow/tiny.yaml"
BROKEN = {
    "a: 1\nb:\n\tc: 2\n": (3, "a tab in the indentation"),
    "a:\n  b: 1\n   c: 2\n": (3, "a ':' where no key can stand"),
    "a:\n  b: 1\n c: 2\n": (3, "this line is indented unlike the block it stands in"),
    "a: 1\nb: [1, 2\nc: 3\nd: 4\n": (2, "'[' is not closed"),
    "a: 1\nb: {x: 1\nc: 3\n": (2, "'{' is not closed"),
    "a: 1\nb: [1, {c: 2}\n": (2, "'[' is not closed"),
    "a: 1\nb: [\nc: {d: 1}\n": (2, "'[' is not closed"),
    "a: 'x\nb: 1\nc: d\n": (1, "a quote is not closed"),
    "a: 1\nbcd\ne: 2\n": (2, "a line that is no `key: value`"),
    "a: 1\nb: @x\n": (2, "'@' cannot begin a value"),
    "a: 1\nb: *x\n": (2, "found undefined alias 'x'"),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.items())
def test_the_line_that_has_to_be_fixed_is_named(tmp_path, text, expected):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_yaml(tmp_path / "study.yaml")
    assert str(caught.value).startswith(f"{tmp_path}/study.yaml:{expected[0]}: not YAML: {expected[1]}. ")


@pytest.mark.parametrize(("content", "what"), [(b"- a\n- b\n", "holds no keys"), (b"a: \xff\n", "not a text file")])
def test_what_is_no_study_at_all_is_refused(tmp_path, content, what):
    (tmp_path / "study.yaml").write_bytes(content)
    with pytest.raises(InputError, match=what):
        read_yaml(tmp_path / "study.yaml")


def test_check_names_the_line_and_fails(tmp_path, capsys):
    (tmp_path / "study.yaml").write_text("study: a\nruns: [\n")
    assert main(["check", str(tmp_path / "study.yaml")]) == 1
    assert f"{tmp_path}/study.yaml:2: not YAML: '[' is not closed" in capsys.readouterr().err


def test_check_counts_the_runs_of_a_sound_study(capsys):
    assert main(["check", str(TINY)]) == 0
    said = capsys.readouterr().out
    seeds, sound = said.splitlines()
    assert seeds.startswith("Fewer than 3 seeds, so that the spread over seeds is hardly known: ")
    assert re.fullmatch(rf"{TINY}: keys, labels, files and their headers are sound; \d+ runs", sound)


def test_check_says_what_it_has_not_read_of_real_genotypes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.fa").write_text(">c\nACGT\n")
    head = '##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="">\n##contig=<ID=c>\n'
    (tmp_path / "v.vcf").write_text(head + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n")
    prediction = {"p": {"write": "means", "fasta": "g.fa", "vcf": "v.vcf", "sample": "P"}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(yaml.safe_load(TINY.read_text()) | {"predict": prediction}))
    assert main(["check", "study.yaml"]) == 0
    assert capsys.readouterr().out.endswith("; REF alleles, phase and sort order are checked when the VCF is read\n")


def test_every_mistake_is_a_line_that_begins_alike(tmp_path, capsys):
    text = TINY.read_text().replace("models: [mean_track,", "models: [mean_trak,").replace("monitor:", "moniter:")
    (tmp_path / "study.yaml").write_text(text + "what: 1\n")
    assert main(["check", str(tmp_path / "study.yaml")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2 and all(line.startswith(f"glmflow check: {tmp_path}/study.yaml:") for line in lines)


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert capsys.readouterr().out == f"glmflow {said}\n"
