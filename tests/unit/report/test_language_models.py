"""The report says which models learned nothing in pretraining."""

import json
import re

import pandas as pd
import pytest
import synthetic_study
from glmflow.report import ReportInputs, write_report
from glmflow.report.language_models import COLUMNS, hardly_learned


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([1.3], None),
        ([1.3720], None),  # 1 % below 1.386 is 1.3721
        (
            [1.3723],
            "1.3723 nats per base, hardly beats chance (1.3860, the loss of a model that knows the base composition alone)",
        ),
        (
            [1.39],
            "no better than chance: its validation loss in pretraining, 1.3900 nats per base, does not beat chance",
        ),
        (
            [1.36, 1.39],
            "little better than chance: its validation loss in pretraining, 1.3750 nats per base, hardly beats",
        ),  # the mean of the seeds
        ([float("nan")], None),
    ],
)
def test_who_is_within_a_hundredth_of_chance_is_named(losses, said):
    rows = [("m", seed, 10, loss, 1.386) for seed, loss in enumerate(losses)]
    found = list(hardly_learned(table(*rows, ("other", 1, 10, 2.0, 1.386)), {"m"}))
    assert len(found) == (said is not None)
    assert all(line.startswith("m predicts bases ") and said in line for line in found)


@pytest.mark.usefixtures("undrawn")
def test_both_pages_say_it(tmp_path):
    results = synthetic_study.make_study(tmp_path, runs=synthetic_study.RUNS[:3], seeds=(1,), genes_per_contig=5)
    for model, losses in (("causal", [1.9, 1.385]), ("masked", [1.9, 1.1]), ("gone", [1.385])):
        folder = results / "models" / model / "training/seed1"
        folder.mkdir(parents=True)
        lines = [{"step": n, "loss": 1.5, "eval_loss": loss} for n, loss in enumerate(losses)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "cost.json").write_text(json.dumps({"updates": 1500, "chance_loss": 1.38}))
    write_report(ReportInputs.from_results(results), tmp_path / "report")
    index, models = ((tmp_path / "report" / f"{name}.html").read_text() for name in ("index", "models"))
    sentence = "causal predicts bases no better than chance: its validation loss in pretraining, 1.3850 nats per base, does not beat chance"
    assert sentence in index and sentence in models
    assert "masked learned next" not in index and "gone" not in models
    row = re.search(r"<tr><td>masked</td><td class=\"n\">1</td>.*?</tr>", models, re.S)[0]
    assert "1,500" in row and "1.1000" in row and "1.3800" in row and "20.29 %" in row  # 1 - 1.1 / 1.38
    assert "−0.36 %" in models  # 1 - 1.385 / 1.38
    assert len(pd.read_csv(tmp_path / "report/data/language_models.tsv", sep="\t")) == 2
