"""`glmflow check --fail-on` and `glmflow audit` of a study: exit status, every audit once, and examples without copies."""

import numpy as np
import pandas as pd
import pytest
import yaml
from glmflow.bigwig import write_bigwig
from glmflow.checks import study_audits
from glmflow.checks.examples_audit import copied_rows
from glmflow.cli import main
from glmflow.tasks.tables import Checks, examples_table


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of two tracks; the second is the first times -0.3 if it is written so."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    (tmp_path / "genome.fa").write_text("".join(f">{c}\n{''.join(rng.choice(list('ACGT'), 60_000))}\n" for c in "ab"))

    def make(copied, **settings):
        values = rng.gamma(1, 3, (2, 2, 1_100)).astype(np.float32)
        values[1] = 0.3 * values[0] if copied else values[1]
        for path, contigs in zip(("x.bw", "y.bw"), values):
            start = np.arange(1_100) * 50
            runs = ((c, start, start + 50, v) for c, v in zip("ab", contigs))
            write_bigwig(tmp_path / path, {"a": 60_000, "b": 60_000}, runs)
        given = {
            "study": "s",
            "reference": {"fasta": "genome.fa"},
            "tracks": {name: {"biosample": name, "replicates": [f"{name}.bw"]} for name in "xy"},
            "splits": {"by": "contig", "train": ["a"], "test": ["b"]},
            "tasks": {"coverage": {"kind": "rnaseq_tracks", "windows": {"size": 4096, "overlap": 512}}},
            "models": {"mean": {"baseline": {"kind": "mean_track"}}},
            "adaptations": {"baseline": {"kind": "baseline"}},
            "runs": [{"tasks": ["coverage"], "models": ["mean"], "adaptations": ["baseline"]}],
        }
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(given | settings))
        return "study.yaml"

    return make


@pytest.mark.parametrize(("copied", "status"), [(True, 1), (False, 0)])
def test_check_exits_as_the_audits_of_its_files_ask(study, capsys, copied, status):
    path = study(copied)
    assert main(["check", path]) == 0  # audits are asked for
    assert main(["check", path, "--fail-on", "leak"]) == status
    assert ("FAIL" in capsys.readouterr().out) == copied
    assert main(["check", path, "--fail-on", "never"]) == 0
    assert main(["check", study(copied, fail_on="warning")]) == status


def test_audit_of_a_study_reports_each_audit_once_and_writes_the_clean_split(study, tmp_path, capsys, monkeypatch):
    path, folder = study(True), tmp_path / "results/s/examples"
    table = pd.DataFrame(
        {
            "example": ["t", "u", "v"],
            "chrom": ["a", "b", "b"],
            "start": [0, 500, 9_000],
            "end": [4_096, 4_596, 13_096],
            "split": ["train", "test", "test"],
        }
    )
    made = Checks()
    made.add("one signal as two biosamples", 1, 1, "said by the examples", status="FAIL")

    def make_examples(*_):
        folder.mkdir(parents=True)
        examples_table(table).to_parquet(folder / "coverage.parquet")
        made.table().to_csv(folder / "coverage.leakage.tsv", sep="\t", index=False)
        table.iloc[[2]].to_csv(folder / "coverage.copies.tsv", sep="\t", index=False)

    monkeypatch.setattr("glmflow.checks.commands.make_examples", make_examples)
    assert main(["audit", path, "--clean", "clean"]) == 0  # the study's own `fail_on` is never
    out = capsys.readouterr().out
    assert out.count("one signal as two biosamples") == 1 and "said by the examples" in out
    assert pd.read_parquet(tmp_path / "clean/coverage.parquet")["example"].tolist() == ["t", "u"]
    assert main(["check", path, "--fail-on", "leak"]) == 1


def test_only_held_out_copies_are_left_out():
    table = pd.DataFrame(
        {
            "example": list("abcd"),
            "split": ["train", "test", "test", "validation"],
        }
    )
    assert not copied_rows(table, pd.DataFrame()).any()
    assert copied_rows(table, pd.DataFrame({"example": ["d"]})).tolist() == [False, False, False, True]


def test_the_workflow_is_where_the_library_is():
    assert study_audits.SNAKEFILE.is_file()
