"""`glmflow score seq2cellxtf` on an upload, and what a run writes to be uploaded."""

import numpy as np
import pandas as pd
import pytest
from glmflow.binding.binding_matrix import BindingMatrix, read_matrix, write_matrix
from glmflow.cli import main
from glmflow.config.tasks import task_block
from glmflow.files import write_table
from glmflow.tasks.seq2cellxtf import examples, score
from glmflow.tasks.tables import Division
from hackathon_files import hackathon


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    names = ["A_X", "B_X", "A_Y"], [str(number) for number in range(30)]
    write_matrix(BindingMatrix(*names, rng.integers(0, 2, (3, 30))), tmp_path / "truth.csv")
    write_matrix(BindingMatrix(*names, rng.random((3, 30))), tmp_path / "upload.csv")
    return tmp_path


def run(folder, *options):
    arguments = ["--truth", folder / "truth.csv", "--predictions", folder / "upload.csv", "--output", folder / "m.tsv"]
    return main(["score", "seq2cellxtf", *map(str, arguments), *options])


def test_both_protocols_are_written(files, capsys):
    assert run(files) == 0
    strict = pd.read_csv(files / "m.tsv", sep="\t").set_index("metric")["value"]
    assert {"auroc", "auprc", "cell_concordance", "column_auroc"} <= set(strict.index)
    assert "3 keys of both classes; 100.0 % of the values were uploaded" in capsys.readouterr().out
    assert run(files, "--protocol", "official") == 0
    official = pd.read_csv(files / "m.tsv", sep="\t").set_index("metric")["value"]
    assert official["aurocs_cross_region"] == pytest.approx(strict["auroc"], abs=1e-5)


def test_what_is_missing_is_said_in_one_line(files, capsys):
    whole = read_matrix(files / "upload.csv")
    write_matrix(BindingMatrix(whole.keys[:2], whole.regions, whole.values[:2]), files / "upload.csv")
    assert run(files) != 0
    assert "1 keys (A_Y) missing" in capsys.readouterr().err
    assert run(files, "--partial") == 0 and "66.7 % of the values" in capsys.readouterr().out


def test_a_run_on_the_hackathons_files_writes_its_upload(test_data, tmp_path):
    task = task_block({"kind": "seq2cellxtf", "hackathon": hackathon(test_data, "c"), "bootstrap": 5})
    found = examples(task, {}, Division())
    for name, table in found.facts.items():
        write_table(table, tmp_path / name)
    keys = found.facts["keys.tsv"]
    rows = found.table.loc[found.table["split"] != "train", ["example"]]
    asked = [f"prediction_{key}" for key in keys.loc[keys["split"] != "train", "key"]]
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.random((len(rows), len(asked))), index=rows.index, columns=asked)
    settings = {"task": task.model_dump(), "study": "s", "task_label": "t", "model_label": "m"}
    settings |= {"adaptation_label": "a", "seed": 1}
    scored = score(settings, found.table, pd.concat([rows, values], axis=1), tmp_path, {"tables": str(tmp_path)})
    write_table(scored.tables["submission.csv"], tmp_path / "submission.csv")
    upload = read_matrix(tmp_path / "submission.csv")
    assert upload.keys == ["HepG2_MYC", "K562_REST", "neural cell_REST"]
    assert upload.regions == [str(number) for number in range(49, 64)]
    one = values.loc[rows["example"] == found.table["example"][49], "prediction_K562_REST"].item()
    assert upload.values[1, 0] == pytest.approx(one, abs=1e-6)
