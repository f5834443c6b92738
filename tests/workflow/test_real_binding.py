"""Real peaks of 109 keys in 1 Mb, as the study has them but with fewer models: from files to the page, without a network."""

import pandas as pd
import pytest
import yaml
from running import ROOT, run_snakemake

pytestmark = pytest.mark.slow
MODELS = ["constant", "width", "motif", "known_tf_mean"]


@pytest.fixture(scope="module")
def results(test_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real_binding")
    data = test_data / "seq2cellxtf"
    places = {
        "human_chr20": test_data / "human_chr20",
        "dream_window/peaks": data / "window_chr20w/peaks",
        "dream_window/cells.tsv": data / "dream_chr20_chr22/cells.tsv",
        "jaspar/vertebrates.meme": data / "expected/hackathon_mini/jaspar_meme.txt",
    }
    for name, path in places.items():
        link = folder / "resources" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    study = yaml.safe_load((ROOT / "config/studies/seq2cellxtf_dream_window.yaml").read_text())
    study["models"] = {name: study["models"][name] for name in MODELS}
    study["adaptations"] = {"baseline": {"kind": "baseline"}}
    study["runs"] = [{"tasks": ["merged", "windows"], "models": MODELS, "adaptations": ["baseline"]}]
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    run_snakemake("-c2", "--configfile", "study.yaml", directory=folder)
    return folder / "results/seq2cellxtf_dream_window"


def value(results, task, model, metric):
    metrics = pd.read_csv(results / f"runs/{task}/{model}/baseline/seed1/metrics.tsv", sep="\t")
    own = metrics[(metrics["split"] == "test") & (metrics["subset"] == "all") & (metrics["protocol"] == "strict")]
    return own.set_index("metric")["value"][metric]


def test_all_regions_are_there_and_the_width_orders_them(results):
    counts = pd.read_csv(results / "examples/merged.counts.tsv", sep="\t").set_index("item")["count"]
    names = [f"{split} regions" for split in ("train", "validation", "test")]
    assert counts[names].sum() + counts["regions left out: between splits"] == 327
    leakage = pd.read_csv(results / "examples/merged.leakage.tsv", sep="\t")
    width = leakage[leakage["check"].str.contains("width of regions alone")].iloc[0]
    assert width["leak"] == "yes" and "(0.81" in width["detail"]
    assert value(results, "merged", "width", "auroc") > max(0.72, value(results, "merged", "motif", "auroc"))
    assert value(results, "windows", "width", "auroc") == 0.5


def test_what_is_blind_to_cells_has_a_concordance_of_exactly_one_half(results):
    for task in ("merged", "windows"):
        for model in MODELS:
            assert value(results, task, model, "cell_concordance") == 0.5


def test_the_page_warns_of_widths_where_they_differ(results):
    warning = "The width of regions gives labels away"
    assert warning in (results / "report/binding.html").read_text()
    assert warning not in (results / "report/binding.windows.html").read_text()
