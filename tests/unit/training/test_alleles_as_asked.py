"""Labelled alleles from a table to metrics, by a model as it is: the sign, kills, windows, what was asked, reasons."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config import check_study, run_settings, score_settings
from glmflow.effects import score_runs
from glmflow.files import read_table
from glmflow.models import new_model
from glmflow.tasks.variant_effects import examples, score
from glmflow.training.predict import predict

LENGTH = 3000
KEPT = ("predictions.parquet", "predicted/channels.npy")


def study_of(folder, **task):
    """A study of one table of alleles; the model is a folder."""
    raw = {
        "study": "toy",
        "reference": {"fasta": str(folder / "genome.fa")},
        "tasks": {"labels": {"kind": "variant_effects", "table": str(folder / "in.tsv"), "label": "class",
                             "labels": {"P": 1, "B": 0}, "columns": {"group": "gene"}, "window": [32, 16],
                             "scores": ["llr", "flank", "l2_mean"], "ceiling": True, "bootstrap": 20} | task},
        "models": {"toy": {"checkpoint": str(folder / "toy")}},
        "adaptations": {"zero_shot": {"kind": "zero-shot"}, "random": {"kind": "zero-shot", "weights": "random"}},
        "runs": [{"tasks": ["labels"], "models": ["toy"], "adaptations": ["zero_shot", "random"]}],
    }  # fmt: skip
    return check_study(raw)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random genome of two contigs, a model with random weights, 50 changes of one base, 10 deletions, two odd ones."""
    folder = tmp_path_factory.mktemp("alleles")
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("ACGT"), LENGTH))
    (folder / "genome.fa").write_text(f">c1\n{text}\n>c2\n{text[::-1]}\n")
    rows = ["chrom\tpos\tref\talt\tclass\tgene"]
    contigs = {"c1": text, "c2": text[::-1]}
    for number, place in enumerate(random.choice(np.arange(40, LENGTH - 40), 60, replace=False)):
        name = f"c{1 + number % 2}"
        own = contigs[name][place]
        alt = next(base for base in "ACGT" if base != own)
        if number % 6 == 5:
            own = contigs[name][place : place + 3]
            alt = own[0]
        rows.append(f"{name}\t{place + 1}\t{own}\t{alt}\t{'PB'[number % 3 > 0]}\tg{number % 10}")
    rows.append("c9\t5\tA\tC\tP\tg1")
    rows.append("c1\t1\tA\t<INS>\tB\tg1")
    (folder / "in.tsv").write_text("\n".join(rows) + "\n")
    size = {"hidden_size": 16, "num_heads": 2, "num_layers": 1, "context": 64, "causal": False}
    new_model("small", size, seed=5).save(folder / "toy")
    return folder


def made(study, folder):
    found = examples(study.tasks["labels"], {"fasta": folder / "genome.fa", "variants": folder / "in.tsv"}, None)
    return found.table


def answered(study, table, folder, output, adaptation="zero_shot"):
    run = next(run for run in study.runs_of("labels") if run.adaptation == adaptation)
    output.mkdir(exist_ok=True)
    predict(
        run_settings(study, run), table, {"fasta": str(folder / "genome.fa"), "neutral": []}, folder / "toy", output
    )
    return pd.read_parquet(output / "predictions.parquet")


def test_a_killed_prediction_resumes_to_the_same_bytes_and_counts_each_pass_once(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(score_runs, "part_size", lambda *_: 16)
    study = study_of(folder)
    table = made(study, folder)
    answered(study, table, folder, tmp_path / "whole")
    whole = [(tmp_path / "whole" / name).read_bytes() for name in KEPT]
    original = score_runs.score_edits
    for kill_at in (1, 4, 7):
        calls = []

        def killed(*given, calls=calls, kill_at=kill_at, **more):
            calls.append(1)
            if len(calls) > kill_at:
                raise KeyboardInterrupt
            return original(*given, **more)

        output = tmp_path / f"killed{kill_at}"
        monkeypatch.setattr(score_runs, "score_edits", killed)
        with pytest.raises(KeyboardInterrupt):
            answered(study, table, folder, output)
        assert not (output / "predictions.parquet").exists() and not (output / "predicted").exists()
        monkeypatch.setattr(score_runs, "score_edits", original)
        answered(study, table, folder, output)
        assert [(output / name).read_bytes() for name in KEPT] == whole
        passes = [read_table(one / "predicted/asked.tsv")["passes"].tolist() for one in (tmp_path / "whole", output)]
        assert passes[0] == passes[1]
        assert not (output / ".parts").exists()


def test_parts_of_another_question_are_not_taken(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(score_runs, "part_size", lambda *_: 16)
    table = made(study_of(folder), folder)
    original = score_runs.score_edits
    calls = []

    def killed(*given, **more):
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return original(*given, **more)

    monkeypatch.setattr(score_runs, "score_edits", killed)
    with pytest.raises(KeyboardInterrupt):
        answered(study_of(folder), table, folder, tmp_path / "run")
    monkeypatch.setattr(score_runs, "score_edits", original)
    resumed = answered(study_of(folder, window=16), table, folder, tmp_path / "run")
    fresh = answered(study_of(folder, window=16), table, folder, tmp_path / "fresh")
    pd.testing.assert_frame_equal(resumed, fresh)


def test_scores_reasons_and_tables_of_a_run(folder, tmp_path):
    study = study_of(folder)
    table = made(study, folder)
    assert table["reason"].value_counts().to_dict() == {"": 60, "missing_contig": 1, "symbolic": 1}
    found = answered(study, table, folder, tmp_path / "run")
    indels = table["kind"].str.startswith("indel")
    assert (found.loc[~indels & (table["reason"] == ""), "score"] == "llr").all()
    assert (found.loc[indels, "score"] == "flank").all() and indels.sum() == 10
    assert found["prediction"].notna().equals(table["reason"] == "")
    np.testing.assert_allclose(found["prediction"], found[["prediction_fwd", "prediction_rev"]].mean(axis=1))
    same = ~indels & (table["reason"] == "")
    np.testing.assert_array_equal(found.loc[same, "prediction"], found.loc[same, "prediction_llr_32"])
    assert not np.allclose(found.loc[same, "prediction_llr_32"], found.loc[same, "prediction_llr_16"])
    other = answered(study, table, folder, tmp_path / "random", "random")
    assert not np.allclose(found.loc[same, "prediction"], other.loc[same, "prediction"])

    run = study.runs_of("labels")[0]
    scored = score(score_settings(study, run), table, found, tmp_path / "run/predicted", {})
    metrics = scored.metrics[scored.metrics["protocol"] == "strict"].set_index(["subset", "metric"])
    assert metrics.loc[("all", "n_without_score"), "value"] == 2 and metrics.loc[("all", "auroc"), "n"] == 60
    assert ("all", "ceiling_auroc") in metrics.index and ("all", "strand_pearson") in metrics.index
    tables = scored.tables
    assert set(tables["beside.tsv"]["window"]) == {16, 32} and {"llr", "flank", "l2_mean"} <= set(
        tables["beside.tsv"]["score"]
    )
    assert tables["reasons.tsv"].set_index("reason")["n"].to_dict() == {"missing_contig": 1, "symbolic": 1}
    assert set(tables["indels.tsv"]["change"]) == {-2}
    assert len(tables["wrongest.tsv"]) == 20 and tables["wrongest.tsv"]["distance"].is_monotonic_decreasing
    assert set(tables["curves.tsv"]["curve"]) == {"ROC", "precision-recall"}


@pytest.mark.parametrize(("sign", "expected"), [("minus", 1.0), ("plus", 0.0)])
def test_the_sign_is_that_of_the_task_whatever_the_data_say(folder, sign, expected, tmp_path):
    study = study_of(folder, sign=sign, scores=["llr"])
    table = made(study, folder)
    planted = pd.DataFrame({
        "example": table["example"], "prediction": np.where(table["target"] == 1, -3.0, 1.0), "signed": True,
    })  # fmt: skip
    scored = score(score_settings(study, study.runs_of("labels")[0]), table, planted, tmp_path, {})
    row = scored.metrics.query("subset == 'all' and metric == 'auroc' and protocol == 'strict'")
    assert row["value"].item() == expected
