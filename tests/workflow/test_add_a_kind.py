"""The walk-through of docs/architecture.md, followed to the letter: its files in a copy of the library, and a study with them."""

import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from running import ROOT

FENCE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.S | re.M)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A copy of the library with the documented files, and a study that was run with it."""
    folder = tmp_path_factory.mktemp("kind")
    copy = folder / "glmflow"
    shutil.copytree(ROOT / "workflow", copy / "workflow", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "config", copy / "config")
    shutil.copy(ROOT / "Snakefile", copy / "Snakefile")
    library = copy / "workflow/scripts/glmflow"
    files = FENCE.findall((ROOT / "docs/architecture.md").read_text())
    for name, text in files:
        path = library / name
        assert not path.exists(), f"{name} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    study = {
        "study": "islands",
        "simulate": {"cohort": {"seed": 1, "contigs": {"chr1": 60000, "chr2": 20000, "chr3": 20000}}},
        "splits": {"by": "contig", "train": ["chr1"], "validation": ["chr2"], "test": ["chr3"]},
        "tasks": {"cpg": {"kind": "cpg_islands", "length": 200, "bootstrap": 20}},
        "models": {
            "counts": {"new": {"family": "composition"}},
            "cg": {"baseline": {"kind": "cg_share"}},
            "majority": {"baseline": {"kind": "majority"}},
        },
        "adaptations": {
            "full": {"kind": "full", "loss": {"kind": "focal", "gamma": 1.0}, "train": {"steps": 3, "batch": 4}},
            "probe": {"kind": "probe", "weights": "random", "train": {"steps": 3, "batch": 4}},
            "baseline": {"kind": "baseline"},
        },
        "runs": [
            {"tasks": ["cpg"], "models": ["counts"], "adaptations": ["full", "probe"]},
            {"tasks": ["cpg"], "models": ["cg", "majority"], "adaptations": ["baseline"]},
        ],
    }
    (folder / "islands.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "snakemake", "--snakefile", copy / "Snakefile", "--directory", folder, "-c2"]
    command += ["--quiet", "all", "--configfile", folder / "islands.yaml"]
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"  # noqa: PTH120
    environment = os.environ | {"PATH": path}  # the copy runs its own library, whichever one the environment holds
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, [name for name, _ in files]


def test_every_documented_file_is_of_the_kind_or_of_a_part(followed):
    _, files = followed
    places = {name.split("/")[0] for name in files}
    assert places == {"config", "tasks", "report", "models", "training", "metrics", "baselines"}


def test_the_kind_runs_to_its_scores_and_page(followed):
    folder, _ = followed
    results = folder / "results/islands"
    runs = ["counts/full", "counts/probe", "cg/baseline", "majority/baseline"]
    scores = {run: pd.read_csv(results / f"runs/cpg/{run}/seed1/metrics.tsv", sep="\t") for run in runs}
    for table in scores.values():
        assert {"mcc", "accuracy", "top_share"} <= set(table["metric"]) and set(table["split"]) == {
            "validation",
            "test",
        }
    found = scores["cg/baseline"].query("split == 'test' and metric == 'accuracy'")["value"].item()
    assert found > 0.95  # it is given the very rule of the label
    settings = yaml.safe_load((results / "runs/cpg/counts/full/seed1/run.yaml").read_text())
    assert settings["adaptation"]["loss"] == {"kind": "focal", "gamma": 1.0}
    page = (results / "report/index.html").read_text()
    assert "sure and right" in page and "is not declared for this kind of task" not in page
    assert (results / "report/islands.html").exists()
