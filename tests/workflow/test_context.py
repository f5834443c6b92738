"""The study of context extension, as small as it can be, from a simulated genome to its page."""

import csv

import pytest
import yaml
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("context")
    settings = yaml.safe_load((ROOT / "config/studies/context_extension.yaml").read_text())
    settings["simulate"]["repeats"]["contigs"] = {"train": 20_000, "validation": 5_000, "test": 20_000}
    settings["tasks"]["context"] |= {"contexts": [128, 256], "examples": 3, "bootstrap": 10}
    settings["tasks"]["context"]["recall"] = {"segment": 32, "distances": [64, 200], "trials": 2}
    settings["models"]["base"]["pretrain"] |= {"steps": 2, "batch": 2}
    tuned = settings["models"]["clex_tuned"]["extend"] | {"steps": 2, "batch": 2, "length": 256}
    models = settings["models"]
    settings["models"] = {"base": models["base"], "none": models["none"], "clex_tuned": {"extend": tuned}}
    settings["runs"] = [{"tasks": ["context"], "models": ["none", "clex_tuned"], "adaptations": ["as_it_is"]}]
    (folder / "study.yaml").write_text(yaml.safe_dump(settings))
    run_snakemake("-c2", "--quiet", "all", "--configfile", "study.yaml", directory=folder)
    return folder / "results/context_extension"


def test_every_run_has_its_metrics(study):
    for model in ("none", "clex_tuned"):
        with (study / f"runs/context/{model}/as_it_is/seed1/metrics.tsv").open() as handle:
            rows = list(csv.DictReader(handle, delimiter="\t"))
        asked = {(row["metric"], row["subset"], row["context_bp"]) for row in rows}
        assert {("loss", "all", "128"), ("loss", "all", "256")} <= asked
        assert {("copy_advantage", "exact", "64"), ("copy_advantage", "reverse_complement", "200")} <= asked


def test_the_page_holds_what_was_compared(study):
    page = (study / "report/context.html").read_text()
    assert "Paired tests" in page and "clex_tuned" in page
    assert 'href="context.html"' in (study / "report/index.html").read_text()
    compared = (study / "comparisons/context.tsv").read_text()
    assert "clex_tuned" in compared and "none" in compared


def test_an_extended_model_tells_what_it_is(study):
    record = yaml.safe_load((study / "models/clex_tuned/seed1/model.yaml").read_text())
    assert record["extension"]["method"] == "clex" and record["extension"]["factor"] == 16
    assert record["extension"]["original_length"] == 128 and record["context_bp"] == 16 * 128
