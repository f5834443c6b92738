"""Pages of tasks that were scored on validation alone: they say so, and call nothing a test."""

import json
import re
from html import unescape

import pytest
import synthetic_study
import yaml
from glmflow.comparing.comparison import compare_runs
from glmflow.report.report_inputs import ReportInputs
from glmflow.report.study_tables import Study
from glmflow.report.write import task_page
from glmflow.statistics.influence import mean_value
from glmflow.statistics.stored import Stored
from glmflow.tasks.comparable import cell

KINDS = {"seq2cellxtf": "auprc", "diagnosis": "accuracy", "language": "bits_per_base", "base_labels": "mcc"}
RUNS = {"net": ({"pretrain": {"family": "tiny_causal"}}, 0.6), "base": ({"baseline": {"kind": "context_mixture"}}, 0.4)}


def study_of(results, kind, metric):
    """A model and a baseline whose scores are of the validation split."""
    lower = metric == "bits_per_base"
    facts, stored = [], []
    for model, (origin, value) in RUNS.items():
        value = 1 - value if lower else value
        run = results / "runs/t" / model / "full/seed1"
        (run / "scores").mkdir(parents=True)
        block = {"task": {"kind": kind}, "model": origin, "adaptation": {"kind": "full"}}
        (run / "run.yaml").write_text(yaml.safe_dump(block))
        (run / "prediction.json").write_text("{}")
        names = {"task": "t", "model": model, "adaptation": "full", "seed": 1}
        synthetic_study.write_metrics(run, [("validation", "all", 512, metric, value, 0.02, 50)], **names)
        role = "baseline" if "baseline" in origin else "model"
        facts.append({"key": f"t/{model}/full", "label": model, "role": role, "control_of": None, "seeded": True})
        facts[-1] |= {"backbone": None, "random": False}
        scores = mean_value([value - 0.01, value + 0.01] * 25)
        stored.append({cell(metric, "validation", context_bp=512): Stored(scores, "", not lower, None)})
    found, folder = compare_runs(facts, stored), results / "comparisons/t"
    folder.mkdir(parents=True)
    for table, path in ((found.rows, folder.with_suffix(".tsv")), (found.notes, folder / "notes.tsv")):
        table.to_csv(path, sep="\t", index=False)
    synthetic_study.write_examples(results, "t", [("windows used", 9)], [("bases shared", 0, 9, "no")])
    (results / "provenance.json").write_text(json.dumps({}))
    return Study(ReportInputs.from_results(results))


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_validation_are_called_so(tmp_path, kind):
    html = task_page(study_of(tmp_path / "s", kind, KINDS[kind]), "t")
    text = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)[\s\S]*?</\1>", "", html)))
    assert "(validation split)" in text and "of the split that chose (validation)" in text
    for wrong in ("(test split)", "of the test split", "test keys", "test regions", "No model was scored", "held-out"):
        assert wrong not in text
