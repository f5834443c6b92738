"""What audits found, and what checkpoints have seen, stands on the pages and among the warnings."""

import re
from dataclasses import replace

import pandas as pd
import pytest
import synthetic_study
from glmflow.report import ReportInputs
from glmflow.report.audit_card import audit_card
from glmflow.report.index_page import index_page
from glmflow.report.models_page import models_page
from glmflow.report.study_tables import Study


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """A study with audits of every status, a table of copies, and NaN in two of its tracks."""
    results = synthetic_study.make_study(
        tmp_path_factory.mktemp("audited"), runs=synthetic_study.RUNS[:2], seeds=(1,), genes_per_contig=6
    )
    checks = [
        ("bases shared", 0, 90, 0.0, "no", "", "PASS", 0),
        ("depth", 7.5, None, None, "no", "samples differ by a factor of 7.5", "WARN", 5),
        ("copies of training windows: test", 3, None, None, "yes", "3 of 40 test windows", "FAIL", 0),
    ]
    columns = ["check", "found", "of", "share", "leak", "detail", "status", "threshold"]
    examples = results / "examples"
    pd.DataFrame(checks, columns=columns).to_csv(examples / "rnaseq_tracks.leakage.tsv", sep="\t", index=False)
    copies = pd.DataFrame({"split": ["test"], "chrom": ["chr2"], "start": [12_000], "copied": [0.75], "strand": ["-"]})
    copies.to_csv(examples / "rnaseq_tracks.copies.tsv", sep="\t", index=False)
    statistics = results / "tracks/statistics.tsv"
    table = pd.read_csv(statistics, sep="\t")
    table["non_finite"] = [4, 1_200, *[0] * (len(table) - 2)]
    table.to_csv(statistics, sep="\t", index=False)
    return ReportInputs.from_results(results)


def test_audits_stand_worst_first_with_their_threshold_and_the_copies(audited):
    study = Study(audited)
    card = audit_card(study, "rnaseq_tracks")
    assert [row["status"] for row in card["rows"]] == ["FAIL", "WARN", "PASS"]
    assert card["ends"] == [("FAIL", 1), ("WARN", 1), ("PASS", 1)]
    (copy,) = card["copies"]
    assert copy["start"] == "12,000" and copy["copied"] == "0.750"
    page = index_page(study, [], [])
    rows = re.findall(r'<tr class="(leak|known)">(.*?)</tr>', page, re.S)
    assert [name for name, _ in rows] == ["leak", "known"]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", rows[1][1])
    assert cells == ["depth", "7.500", "–", "WARN", "5", "samples differ by a factor of 7.5"]
    assert "Held-out examples that hold copies of training" in page


def test_an_audit_that_fails_stands_before_the_answer(audited, tmp_path):
    said = Study(audited).verdict("rnaseq_tracks").warnings
    assert said[0] == "FAIL: audits of the examples: copies of training windows: test (3)."
    table = pd.read_csv(audited.leakage["rnaseq_tracks"], sep="\t").assign(status="WARN")
    table.to_csv(passed := tmp_path / "rnaseq_tracks.leakage.tsv", sep="\t", index=False)
    others = Study(replace(audited, leakage={"rnaseq_tracks": passed})).verdict("rnaseq_tracks").warnings
    assert not any("audits of the examples" in text for text in others)


def test_what_does_not_pass_is_a_warning_and_nan_is_one_line(audited):
    messages = Study(audited).warnings["message"].tolist()
    assert any(text.startswith("leak: copies of training windows: test") for text in messages)
    assert any(text.startswith("audit: depth") for text in messages)
    (line,) = [text for text in messages if "not finite" in text]
    assert line.startswith("1,204 bases") and line.count("1,200") == 1


def test_what_scores_say_against_themselves_is_counted_among_the_warnings(audited, tmp_path):
    (folder := tmp_path / "rnaseq_tracks").mkdir()
    rows = [("FAIL", "test", "cnn scores exactly 1"), ("PASS", "test", "no interval lies below 0")]
    pd.DataFrame(rows, columns=["status", "where", "sentence"]).to_csv(folder / "warnings.tsv", sep="\t", index=False)
    given = audited.comparisons["rnaseq_tracks"].read_bytes()
    (path := tmp_path / "rnaseq_tracks.tsv").write_bytes(given)
    found = Study(replace(audited, comparisons={"rnaseq_tracks": path})).warnings
    (row,) = found[found["message"].str.contains("exactly 1")].itertuples()
    assert row.where == "rnaseq_tracks" and row.message == "FAIL: test: cnn scores exactly 1."
    assert not found["message"].str.contains("below 0").any()


def test_tables_of_earlier_versions_say_leak_alone(audited, tmp_path):
    older = tmp_path / "rnaseq_tracks.leakage.tsv"
    table = pd.read_csv(audited.leakage["rnaseq_tracks"], sep="\t").drop(columns=["status", "threshold"])
    table.to_csv(older, sep="\t", index=False)
    study = Study(replace(audited, leakage={"rnaseq_tracks": older}))
    assert [row["status"] for row in audit_card(study, "rnaseq_tracks")["rows"]] == ["FAIL", "PASS", "PASS"]


def test_what_a_checkpoint_has_seen_stands_beside_its_score(audited):
    study = Study(audited)
    model = study.cells["rnaseq_tracks"]["model"].iloc[0]
    assert "in pretraining?" not in models_page(study)
    page = models_page(
        Study(replace(audited, pretraining={model: ["chr2 was in pretraining (as stated)", "so was chr3"]}))
    )
    row = re.search(r'id="seen".*?<tbody>(.*?)</tbody>', page, re.S)[1]
    assert "Chr2 was in pretraining (as stated).<br>So was chr3." in row and "rnaseq_tracks, test" in row
