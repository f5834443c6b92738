"""Variants of a cohort with the effects that runs predict: what is compared with what, and what is left out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glmflow.config import check_study
from glmflow.config.allele_sources import Carried
from glmflow.errors import InputError
from glmflow.tasks.variant_effects import compared, score
from glmflow.tasks.variant_effects.carried_variants import carried_variants, trained_windows

RUN = {"task": "expression", "model": "net", "adaptation": "baseline"}
HEAD = "gene\tvariant\tchrom\tpos\tref\talt\tmaf\tdosage_sd\tcarriers\teffect\n"


@pytest.fixture
def folders(tmp_path):
    """Two runs: the second has one variant fewer."""
    rows = ["g1\tc1:11:A:C\tc1\t10\tA\tC\t0.2\t0.5\t7\t0.4", "g1\tc1:13:AT:A\tc1\t12\tAT\tA\t0.3\t0.6\t9\t-0.1",
            "g2\tc1:11:A:C\tc1\t10\tA\tC\t0.2\t0.5\t7\t0.0", "g2\tc1:99:G:T\tc1\t98\tG\tT\t0.02\t0.1\t2\t0.9"]  # fmt: skip
    for name, some in (("net", rows), ("cnn", rows[:1] + rows[2:])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "variants.tsv").write_text(HEAD + "\n".join(some) + "\n")
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth/variants.tsv").write_text(
        "gene_id\tchrom\tpos\tref\talt\teffect_liver\teffect_brain\ng1\tc1\t13\tAT\tA\t-0.7\t0.2\n"
    )
    return tmp_path


def carried(target, **effects):
    return Carried(effects=dict.fromkeys(effects, RUN) or {"net": RUN, "cnn": RUN}, target=target, min_maf=0.05)


def read(folders, settings, truth=False):
    named = {name: folders / name for name in settings.effects}
    return carried_variants(named, folders / "truth" if truth else None, settings)


def test_scores_are_compared_with_the_effects_of_one_run_and_stand_beside_those_of_others(folders):
    found = read(folders, carried("net"))
    table = found.table
    assert table[["chrom", "start", "ref", "alt", "group", "target"]].to_numpy().tolist() == [
        ["c1", 10, "A", "C", "g1", 0.4], ["c1", 10, "A", "C", "g2", 0.0], ["c1", 12, "AT", "A", "g1", -0.1]
    ]  # fmt: skip
    assert table["example"].tolist() == ["c1:11:A:C", "c1:11:A:C#2", "c1:13:AT:A"] and (table["split"] == "test").all()
    assert table["cnn"].fillna(-9).tolist() == [0.4, 0.0, -9] and table["frequency"].tolist() == [0.2, 0.2, 0.3]
    assert found.left_out == {"too_rare": 1}
    fewer = read(folders, carried("cnn"))
    assert len(fewer.table) == 2 and fewer.left_out == {"too_rare": 1, "no_target": 1}


def test_a_variant_that_the_truth_does_not_list_does_nothing(folders):
    table = read(folders, carried("truth"), truth=True).table
    assert table["target"].tolist() == [0, 0, -0.7]


def test_a_run_without_effects_and_one_without_common_variants_are_named(folders):
    (folders / "none").mkdir()
    with pytest.raises(InputError, match="run none predicts no effects"):
        read(folders, carried("none", none=1))
    with pytest.raises(InputError, match="no variant that the cohort carries is left"):
        read(folders, Carried(effects={"net": RUN}, target="net", min_maf=0.4))


def test_runs_and_truth_have_to_be_there():
    raw = {
        "study": "toy",
        "reference": {"fasta": "g.fa"},
        "tasks": {"carried": {"kind": "variant_effects", "direction": "magnitude", "carried": {"effects": {"net": RUN}, "target": "net"}}},
        "models": {"rank": {"baseline": "no_effect"}},
        "adaptations": {"baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["carried"], "models": ["rank"], "adaptations": ["baseline"]}],
    }  # fmt: skip
    with pytest.raises(InputError, match="expression/net/baseline/seed1 is no run of another task"):
        check_study(raw)
    raw["tasks"]["carried"]["carried"]["target"] = "truth"
    with pytest.raises(InputError, match="only a simulation knows the truth"):
        check_study(raw)
    raw["tasks"]["carried"]["carried"]["target"] = "other"
    with pytest.raises(InputError, match="target: name one of net, or truth"):
        check_study(raw)


def test_alleles_near_copies_of_what_runs_learned_are_scored_apart(tmp_path):
    alleles = pd.DataFrame(
        {"chrom": ["a", "a", "b"], "start": [500, 5_000, 500], "end": [501, 5_001, 501], "split": "test"}
    )
    learned = pd.DataFrame(
        {"chrom": ["a", "a"], "start": [0, 4_000], "end": [1_000, 4_900], "split": ["train", "test"]}
    )
    learned.to_parquet(tmp_path / "genes.parquet")
    found = trained_windows(alleles, [str(tmp_path / "genes.parquet")])
    assert found["split"].tolist() == ["", "test", "test", "train"] and found["end"].tolist()[-1] == 1_000


def test_alleles_without_copies_are_a_subset_and_its_units():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({
        "example": [f"v{n}" for n in range(120)], "chrom": np.repeat(list("abcdefghijkl"), 10),
        "start": np.arange(120) * 10_000, "ref": "A", "alt": "C", "target": np.tile([0, 1], 60),
        "kind": "snv",
    })  # fmt: skip
    clean = np.arange(120) % 3 > 0
    scores = np.where(clean, table["target"], rng.random(120))
    task = check_study(
        {"study": "s", "reference": {"fasta": "g.fa"}, "models": {"m": {"baseline": "no_effect"}},
         "adaptations": {"b": {"kind": "baseline"}}, "runs": [{"tasks": ["v"], "models": ["m"], "adaptations": ["b"]}],
         "tasks": {"v": {"kind": "variant_effects", "table": "v.tsv", "label": "y", "labels": {"1": 1, "0": 0},
                         "sign": "plus", "bootstrap": 20}}}
    ).tasks["v"]  # fmt: skip
    keys = {"study": "s", "task_label": "v", "model_label": "m", "adaptation_label": "b", "seed": 1}
    predictions = pd.DataFrame({"example": table["example"], "prediction": scores, "signed": True})
    settings = keys | {"task": task.model_dump(mode="json")}
    found = score(settings, table.assign(no_near_copy=clean), predictions, Path("none"), {})
    value = found.metrics[found.metrics["protocol"] == "strict"].set_index(["subset", "metric"])["value"]
    assert value["no_near_copy", "auroc"] == 1 > value["all", "auroc"]
    assert found.units["test\tno_near_copy\tall\t\tauroc"].score.value == 1
    assert "page of models" in compared(task, {}, table)
