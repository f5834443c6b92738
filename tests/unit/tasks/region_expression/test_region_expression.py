"""Expression from regions: what promoters are measured at, what is scaled by what, what is held out, and whole runs."""

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.baselines.fit_baseline import run_baseline
from glmflow.binding.motif_matrix import cluster_sums, known_hits
from glmflow.binding.promoter_expression import promoter_means, promoter_rows, resized
from glmflow.binding.region_table import RegionTable, predictions_of
from glmflow.checks.examples_audit import audited
from glmflow.cli import main
from glmflow.config import check_study, run_settings, score_settings
from glmflow.config.views import Run
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.annotation import read_genes
from glmflow.genome.canonical import opposite_strand
from glmflow.models import load_model, new_model
from glmflow.tasks.region_expression import examples, motif_matrix, score
from glmflow.tasks.tables import Checks, Division, Made, counts_table, examples_table
from glmflow.training.finetune import finetune
from glmflow.training.inputs.region_windows import RegionWindows, ready
from glmflow.training.predict import predict
from glmflow.training.tuned import RunBlocks

torch.set_num_threads(1)
SIZES = {"num_regions": 20, "embed_dim": 16, "num_layers": 1, "num_heads": 2}
STUDY = {
    "study": "toy",
    "tasks": {
        "expression": {
            "kind": "region_expression",
            "simulated": {"regions": 300, "cells": 6, "tfs": 8, "width": 150, "seed": 2},
            "cells": {"test": 2},
            "window": 20,
        }
    },
    "models": {
        "get": {"new": {"family": "get", "config": {"model": {"cfg": SIZES}}}},
        "cells": {"baseline": "training_cell_mean"},
        "constant": {"baseline": "promoter_mean"},
        "open": {"baseline": "promoter_accessibility"},
        "ridge": {"baseline": {"kind": "region_ridge", "neighbours": 2}},
        "perceptron": {"baseline": "region_perceptron"},
        "truth": {"baseline": "expression_truth"},
    },
    "adaptations": {
        "full": {
            "kind": "full",
            "train": {
                "optimizer": "adamw",
                "learning_rate": 0.003,
                "steps": 10,
                "batch": 8,
                "micro_batch": 8,
                "evaluations": 1,
            },
        },
        "baseline": {"kind": "baseline"},
    },
    "runs": [
        {"tasks": ["expression"], "models": ["get"], "adaptations": ["full"]},
        {
            "tasks": ["expression"],
            "models": ["cells", "constant", "open", "ridge", "perceptron", "truth"],
            "adaptations": ["baseline"],
        },
    ],
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A simulated task: its study with the columns of its matrix, the examples, and the files."""
    folder = tmp_path_factory.mktemp("toy")
    files = {"matrix": str(folder / "matrix"), "tables": str(folder / "tables")}
    (folder / "matrix").mkdir()
    task = check_study(STUDY).tasks["expression"]
    motif_matrix(task, {}, folder / "matrix")
    made = examples(task, files, Division())
    for name, table in made.facts.items():
        write_table(table, folder / "tables" / name)
    count = len(made.facts["columns.tsv"]) + 1
    study = {**STUDY, "models": {**STUDY["models"], "get": get(count)}}
    return check_study(study), made, files


def get(columns):
    return {"new": {"family": "get", "config": {"model": {"cfg": {**SIZES, "num_motif": columns}}}}}


def test_a_promoter_has_the_mean_of_all_genes_that_start_within_reach_on_its_strand():
    regions = pd.DataFrame({"chrom": "c", "start": [100, 500], "end": [200, 600]})
    genes = pd.DataFrame({"chrom": "c", "tss": [150, 229, 230, 70, 69, 560], "strand": list("++++--")})
    pairs = promoter_rows(regions, genes, 30)
    # [tss - 30, tss + 30): 229 reaches base 199, 230 only 200; 70 reaches 99 alone, which is outside.
    assert sorted(zip(*(side.tolist() for side in pairs))) == [(0, 0), (0, 1), (1, 5)]
    values = np.array([[1.0, 0], [3, 2], [9, 9], [9, 9], [9, 9], [5, 6]])
    means, promoters = promoter_means(pairs, genes["strand"].to_numpy(object), values, 2)
    assert means[0].tolist() == [[2, 0], [1, 0]] and means[1].tolist() == [[0, 5], [0, 6]]
    assert promoters.tolist() == [[True, False], [False, True]]


def test_regions_are_resized_and_in_the_order_of_the_genome():
    given = pd.DataFrame(
        [("2", 500, 540), ("10", 900, 1300), ("2", 100, 104), ("Y", 50, 60), ("2", 5, 9), ("2", 510, 530)],
        columns=["chrom", "start", "end"],
    )
    found, counts = resized(given, 100, {"2": 1000, "10": 2000, "Y": 100})
    assert found.values.tolist() == [["2", 52, 152], ["2", 470, 570], ["10", 1050, 1150]]
    assert list(counts.values()) == [1, 1, 1]


def test_known_hits_of_a_genome_are_those_that_share_a_base_with_a_region(tmp_path):
    regions = pd.DataFrame({"chrom": ["c", "c", "d"], "start": [10, 15, 100], "end": [20, 40, 110]})
    rows = [
        ("c", 0, 10, "A", 1.0),
        ("c", 0, 11, "A", 2.0),
        ("c", 39, 50, "B", 3.0),
        ("c", 40, 50, "B", 9.0),
        ("e", 0, 99, "A", 9.0),
    ]
    rows += [("d", 0, 200, "NA", 4.0)]
    (tmp_path / "hits.bed").write_text("".join("\t".join(map(str, row)) + "\t+\textra\n" for row in rows))
    hits = known_hits(tmp_path / "hits.bed", regions)
    assert cluster_sums(regions, hits, ["A", "B", "NA"]).tolist() == [[2, 0, 0], [0, 3, 0], [0, 0, 4]]
    (tmp_path / "short.bed").write_text("c\t0\t10\tA\n")
    with pytest.raises(InputError, match="not hits"):
        known_hits(tmp_path / "short.bed", regions)


def test_columns_are_scaled_by_training_regions_alone_and_nothing_is_nan(toy):
    _, made, files = toy
    table = RegionTable(made.table, files["tables"], files["matrix"])
    sums = pd.read_parquet(f"{files['matrix']}/sums.parquet").to_numpy()[made.table["row"]]
    own = table.training.any(axis=1)
    assert table.columns["scale"].to_numpy() == pytest.approx(sums[own].max(axis=0))
    assert table.scaled[own].max(axis=0) == pytest.approx(np.where(sums[own].max(axis=0) > 0, 1, 0))
    assert table.scaled.min() >= 0 and table.scaled.max() <= 1
    assert (table.expression[table.accessibility < 0.05] == 0).all()


def test_training_windows_hold_no_held_out_cell_or_region_and_stay_in_place(toy):
    _, made, files = toy
    table = RegionTable(made.table, files["tables"], files["matrix"])
    size, span = 20, 150_000
    items = RegionWindows(table, table.training, size, span, False)
    generator = np.random.default_rng(0)
    seen = set()
    for index, window in enumerate(items.windows):
        assert table.split_of_cells[window.cell] == "train" and set(table.split_of_regions[window.run]) == {"train"}
        assert (table.accessibility[window.run, window.cell] > 0).all()
        rows = window.regions
        assert len(set(table.regions["chrom"].iloc[rows])) == 1 and len(rows) <= size
        assert np.ptp(table.regions["start"].to_numpy()[rows]) <= span
        seen |= {(int(row), window.cell) for row in rows}
        moved = items(index, generator)
        assert 0 < len(moved["values"]) <= size and moved["values"][:, -1].max() == pytest.approx(1)
    assert seen == set(map(tuple, np.argwhere(table.training).tolist()))


def test_scores_of_the_truth_the_mean_of_training_cells_and_of_nothing(toy):
    study, made, files = toy
    table = RegionTable(made.table, files["tables"], files["matrix"])
    settings = score_settings(study, Run("expression", "cells", "baseline", 1))

    def scored(values):
        return score(settings, made.table, predictions_of(table, values), None, files)

    known = np.repeat(table.mean_of_training[:, None], len(table.cell_names), axis=1)
    rows = {}
    for name, values in (("perfect", table.expression), ("mean", known), ("flat", np.ones_like(known))):
        metrics = scored(values).metrics
        rows[name] = metrics[metrics["split"] == "test"].set_index(["subset", "metric"])["value"]
    assert rows["perfect"][["all", "new_regions", "new_cells"]].to_frame().query("metric == 'mse'")["value"].max() == 0
    for part in ("all", "new_cells_new_regions", "new_regions", "new_cells"):
        assert rows["perfect"][part, "pearson"] == pytest.approx(1)
        assert rows["perfect"][part, "deviation_pearson"] == pytest.approx(1)
        assert rows["mean"][part, "deviation_pearson"] == pytest.approx(0, abs=1e-6)
        assert rows["flat"][part, "pearson"] == 0
    assert rows["mean"]["all", "pearson"] > 0.5  # genes differ more than cells
    lost = table.expression.copy()
    row = np.flatnonzero((table.split_of_regions == "test") & table.promoters.any(axis=1))[0]
    lost[row] = np.nan
    with pytest.raises(InputError, match="no finite prediction"):
        scored(lost)


def test_one_block_has_no_interval_and_blocks_without_promoters_are_no_units(toy):
    study, made, files = toy
    table = RegionTable(made.table, files["tables"], files["matrix"])
    settings = score_settings(study, Run("expression", "cells", "baseline", 1))
    predictions = predictions_of(table, np.random.default_rng(0).random(table.expression.shape))
    one = score(settings, made.table.assign(group="chr4:0"), predictions, None, files)
    assert one.units == {} and (one.metrics["metric"] == "pearson").any()
    group = made.table["group"].where(made.table["split"] != "test", (np.arange(len(made.table)) // 20).astype(str))
    units = score(settings, made.table.assign(group=group), predictions, None, files).units
    influence = units["test\tall\tall\t\tpearson"].score.influence
    assert influence.shape == (group[made.table["split"] == "test"].nunique(), 2)
    assert influence.sum() == pytest.approx(0, abs=1e-6)


def run(toy, model, adaptation, folder):
    study, made, files = toy
    settings = run_settings(study, Run("expression", model, adaptation, 1))
    if adaptation == "baseline":
        run_baseline(settings, made.table, files, folder)
    else:
        finetune(settings, made.table, files, None, folder)
        predict(settings, made.table, files, folder / "model", folder)
    found = pd.read_parquet(folder / "predictions.parquet")
    scored = score(score_settings(study, Run("expression", model, adaptation, 1)), made.table, found, None, files)
    metrics = scored.metrics[scored.metrics["split"] == "test"].set_index(["subset", "metric"])["value"]
    assert {name.split("\t")[0] for name in scored.units} <= {"validation", "test"} and scored.units
    return found, metrics


def test_the_ladder_of_baselines(toy, tmp_path):
    names = ("constant", "open", "ridge", "perceptron", "cells", "truth")
    found = {name: run(toy, name, "baseline", tmp_path / name)[1] for name in names}
    r = {name: own["all", "pearson"] for name, own in found.items()}
    assert r["constant"] == 0 < r["open"] < r["ridge"] < r["truth"] and r["perceptron"] > 0.2
    assert found["open"]["all", "deviation_pearson"] > 0.2 > abs(found["cells"]["all", "deviation_pearson"])
    assert r["cells"] > r["ridge"]


def test_a_model_of_regions_is_trained_saved_and_predicts_alike_again(toy, tmp_path):
    found, _ = run(toy, "get", "full", tmp_path)
    study, made, files = toy
    table = RegionTable(made.table, files["tables"], files["matrix"])
    values = found.drop(columns="example").to_numpy().reshape(len(found), -1, 2)
    assert (np.isfinite(values[..., 0]) == table.predicted).all() and np.nanmin(values) >= 0
    assert np.nanstd(values) > 1e-4  # regions are told apart
    settings = run_settings(study, Run("expression", "get", "full", 1))
    predict(settings, made.table, files, tmp_path / "model", tmp_path / "again")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "again/predictions.parquet"), found)


def test_a_published_model_answers_as_it_is_with_its_own_head(toy, tmp_path):
    study, made, files = toy
    table = RegionTable(made.table, files["tables"], files["matrix"])
    sizes = {**SIZES, "num_motif": len(table.columns) + 1}
    for kind in ("GETRegionFinetune", "GETRegionPretrain"):
        config = {"model": {"_target_": f"get_model.model.model.{kind}", "cfg": sizes}}
        new_model("get", config, seed=1).save(tmp_path / kind)
    settings = run_settings(study, Run("expression", "get", "full", 1))
    settings["adaptation"] = {"kind": "zero-shot"}
    predict(settings, made.table, files, tmp_path / "GETRegionFinetune", tmp_path / "run")
    found = pd.read_parquet(tmp_path / "run/predictions.parquet").drop(columns="example").to_numpy().reshape(-1, 6, 2)
    cell, rows = 0, np.flatnonzero(table.predicted[:, 0])[:20]
    window = RegionWindows(table, table.predicted, 20, 5_000_000, False)(0, None)
    expected = load_model(tmp_path / "GETRegionFinetune")(torch.from_numpy(window["values"])[None]).logits[0]
    count = len(expected)
    assert found[rows[:count], cell] == pytest.approx(expected.detach().numpy(), abs=1e-5)
    with pytest.raises(InputError, match="predicts no expression"):
        predict(settings, made.table, files, tmp_path / "GETRegionPretrain", tmp_path / "other")


def test_what_does_not_fit_is_one_line(toy):
    _, made, files = toy
    wrong = {**STUDY, "models": {**STUDY["models"], "get": get(99)}}
    settings = run_settings(check_study(wrong), Run("expression", "get", "full", 1))
    with pytest.raises(InputError, match="reads 99 columns"):
        ready(RunBlocks.of(settings), made.table, files)
    study = check_study({**STUDY, "models": {**STUDY["models"], "get": {"new": {"family": "small"}}}})
    assert [(one.model, one.reason) for one in study.expanded[1]] == [
        ("get", "small reads a sequence, and the task gives it regions x motifs")
    ]
    with pytest.raises(InputError, match="not both"):
        check_study(
            {
                **STUDY,
                "tasks": {
                    "expression": {
                        "kind": "region_expression",
                        "expression": "e",
                        "counts": "c",
                        "motifs": "m",
                        "hits": "h",
                    }
                },
            }
        )


@pytest.fixture
def own_files(tmp_path):
    """A genome of two contigs with a site in some regions, genes, reads and expression of four cells; not simulated."""
    rng = np.random.default_rng(0)
    genome = {name: list("".join(rng.choice(list("AT"), 40_000))) for name in ("1", "2")}
    rows, gtf, tpm = [], [], []
    for chrom, bases in genome.items():
        for number in range(30):
            start = 1000 + number * 1200
            if number % 2:
                bases[start + 50 : start + 60] = "GGGCGCGCCC"
            rows.append((chrom, start - 37, start + 139, *(5 + number, 50, 9, 20 + (number == 4))))
            first, last = (start + 101, start + 600) if number % 2 == 0 else (start - 399, start + 101)
            place = f"{chrom}\tx\tgene\t{first}\t{last}\t.\t{'+-'[number % 2]}\t."
            gtf.append(f'{place}\tgene_id "G{chrom}_{number}.3"; gene_name "N{chrom}_{number}";')
            tpm.append((f"G{chrom}_{number}", *(number + own for own in range(4))))
    (tmp_path / "genome.fa").write_text("".join(f">{name}\n{''.join(bases)}\n" for name, bases in genome.items()))
    (tmp_path / "genes.gtf").write_text("\n".join(gtf) + "\n")
    cells = ["001", "NA", "b", "c"]
    pd.DataFrame(rows, columns=["chrom", "start", "end", *cells]).to_csv(tmp_path / "counts.tsv", sep="\t", index=False)
    pd.DataFrame(tpm, columns=["gene", *cells]).to_csv(tmp_path / "tpm.tsv", sep="\t", index=False)
    site = "\n".join(f"{base} [ {' '.join('20' if own == base else '0' for own in 'GGGCGCGCCC')} ]" for base in "ACGT")
    (tmp_path / "motifs.txt").write_text(f">M1\tSP1\n{site}\n>M2\tSP2\n{site}\n>M3\tX\n{site}\n")
    (tmp_path / "clusters.tsv").write_text("motif\tcluster\nM1\tGC\nM2\tGC\n")
    genes = read_genes(tmp_path / "genes.gtf", {"1": 40_000, "2": 40_000})
    write_table(genes, tmp_path / "genes.tsv")
    return tmp_path, {"genome": str(tmp_path / "genome.fa"), "genes": str(tmp_path / "genes.tsv")}


def of_files(folder, **changed):
    named = {
        key: str(folder / name)
        for key, name in (
            ("counts", "counts.tsv"),
            ("expression", "tpm.tsv"),
            ("motifs", "motifs.txt"),
            ("clusters", "clusters.tsv"),
        )
    }
    task = {
        "kind": "region_expression",
        **named,
        "width": 300,
        "cells": {"test": ["NA"]},
        "splits": {"by": "contig", "train": ["1"], "test": ["2"]},
    }
    study = {
        "study": "own",
        "reference": {"fasta": str(folder / "genome.fa"), "annotation": str(folder / "genes.gtf")},
        "tasks": {"expression": task | changed},
        "models": {"mean": {"baseline": "promoter_mean"}},
        "adaptations": {"baseline": {"kind": "baseline"}},
        "runs": [{"tasks": ["expression"], "models": ["mean"], "adaptations": ["baseline"]}],
    }
    return check_study(study).tasks["expression"]


def test_own_files_become_regions_with_sums_accessibility_and_expression(own_files):
    folder, files = own_files
    task = of_files(folder)
    (folder / "matrix").mkdir()
    motif_matrix(task, files, folder / "matrix")
    made = examples(task, files | {"matrix": str(folder / "matrix")}, Division())
    for name, table in made.facts.items():
        write_table(table, folder / "tables" / name)
    table = RegionTable(made.table, folder / "tables", folder / "matrix")
    assert dict(zip(table.cell_names, table.split_of_cells)) == {
        "001": "train",
        "NA": "test",
        "b": "train",
        "c": "train",
    }
    assert set(made.table["split"]) == {"train", "test"} and ((made.table["end"] - made.table["start"]) == 300).all()
    assert (made.table["start"] == [1000 + 1200 * number + 51 - 150 for number in range(30)] * 2).all()
    sums = pd.read_parquet(folder / "matrix/sums.parquet")
    number = np.tile(np.arange(30), 2)
    assert list(sums) == ["GC"] and ((sums["GC"] > 5) == (number % 2 == 1)).all()  # two motifs of a cluster are one hit
    assert sums["GC"].max() < 1.5 * 10 * np.log(1 / 0.2023)
    side = np.where(number % 2 == 0, 0, 1)
    assert table.promoters.sum() == 60 and table.promoters[np.arange(60), side].all()
    assert table.expression[np.arange(60), 2, side] == pytest.approx(np.log10(number + 2 + 1), rel=1e-5)
    counts = dict(zip(made.counts["item"], made.counts["count"]))
    assert counts["motifs without a cluster, left out"] == 1


def test_versions_of_a_motif_are_those_that_the_clusters_name(own_files):
    folder, files = own_files
    text = (folder / "motifs.txt").read_text()
    (folder / "motifs.txt").write_text(text.replace(">M1\t", ">M1.1\t").replace(">M2\t", ">M1.2\t"))
    (folder / "clusters.tsv").write_text("motif\tcluster\nM1.1\told\nM1.2\tnew\n")
    (folder / "matrix").mkdir()
    motif_matrix(of_files(folder), files, folder / "matrix")
    sums = pd.read_parquet(folder / "matrix/sums.parquet")
    assert list(sums) == ["new", "old"] and (sums["new"] == sums["old"]).all() and sums["old"].max() > 5


def test_damaged_own_files_are_named(own_files):
    folder, files = own_files
    (folder / "less.tsv").write_text("gene\t001\tb\tc\nG1_1\t1\t2\t3\n")
    (folder / "matrix").mkdir()
    motif_matrix(of_files(folder), files, folder / "matrix")
    files |= {"matrix": str(folder / "matrix")}
    with pytest.raises(InputError, match="1 cells without expression: NA"):
        examples(of_files(folder, expression=str(folder / "less.tsv")), files, Division())
    (folder / "other.tsv").write_text("gene\t001\tNA\tb\tc\nQ\t1\t2\t3\t4\n")
    with pytest.raises(InputError, match="none of its genes"):
        examples(of_files(folder, expression=str(folder / "other.tsv")), files, Division())
    with pytest.raises(InputError, match="no key has zz"):
        examples(of_files(folder, cells={"test": ["zz"]}), files, Division())
    (folder / "clusters.tsv").write_text("motif\tcluster\nQ\tGC\n")
    with pytest.raises(InputError, match="no motif has a cluster"):
        motif_matrix(of_files(folder), files, folder / "matrix")


def test_a_tuned_model_is_applied_to_the_reads_of_other_cells(own_files, capsys):
    """The reads of the run itself, on contigs that are splits: a test cell has the values that the run gave it."""
    folder, files = own_files
    task = of_files(folder)
    matrix, tables, home = folder / "matrix", folder / "tables", folder / "run"
    for place in (matrix, tables):
        place.mkdir()
    motif_matrix(task, files, matrix)
    made = examples(task, files | {"matrix": str(matrix)}, Division())
    for name, table in made.facts.items():
        write_table(table, tables / name)
    sizes = {"model": {"cfg": SIZES | {"num_motif": 2}}}
    study = check_study({
        **STUDY,
        "reference": {"fasta": files["genome"], "annotation": str(folder / "genes.gtf")},
        "tasks": {"expression": task.model_dump(exclude_unset=True)},
        "models": {"get": {"new": {"family": "get", "config": sizes}}},
        "runs": [{"tasks": ["expression"], "models": ["get"], "adaptations": ["full"]}],
    })  # fmt: skip
    settings = run_settings(study, Run("expression", "get", "full", 1))
    read = {"tables": str(tables), "matrix": str(matrix)}
    finetune(settings, made.table, read, None, home)
    predict(settings, made.table, read, home / "model", home)
    expected = pd.read_parquet(home / "predictions.parquet").set_index("example")
    counts = pd.read_csv(folder / "counts.tsv", sep="\t", dtype={"chrom": str}, keep_default_na=False)
    counts[["chrom", "start", "end", "NA", "b"]].to_csv(folder / "two.tsv", sep="\t", index=False)
    command = ["predict", "--model", str(home), "--fasta", files["genome"], "--output", str(folder / "found.parquet")]
    assert main([*command, "--counts", str(folder / "two.tsv")]) == 0
    found = pd.read_parquet(folder / "found.parquet")
    assert set(found["cell"]) == {"NA", "b"} and len(found) == 2 * len(made.table)
    own = found[found["cell"] == "NA"]
    names = own["chrom"] + ":" + own["start"].astype(str) + "-" + own["end"].astype(str)
    for strand in ("plus", "minus"):
        values = expected.loc[names, f"prediction_NA_{strand}"].to_numpy()
        assert own[f"prediction_{strand}"].to_numpy() == pytest.approx(values, abs=1e-6) and np.ptp(values) > 0
    assert main(command) != 0 and main([*command, "--counts", str(folder / "two.tsv"), "--bed", "x.bed"]) != 0
    errors = capsys.readouterr().err
    assert "which cells?" in errors and "--bed: are for other kinds of models" in errors


def test_a_region_that_is_a_copy_of_training_is_found_and_left_out_beside_the_whole(toy, tmp_path):
    study, made, files = toy
    task = study.tasks["expression"]
    bases = np.random.default_rng(5).choice(np.frombuffer(b"ACGT", np.uint8), 60_000)
    bases[50_000:50_400] = opposite_strand(bases[3_000:3_400])
    (tmp_path / "genome.fa").write_text(f">c\n{bases.tobytes().decode()}\n")
    starts = np.array([1_000, 3_000, 40_000, 45_000, 50_000])
    rows = pd.DataFrame({"example": list("abcde"), "chrom": "c", "start": starts, "end": starts + 400})
    rows["split"] = ["train", "train", "test", "test", "test"]
    measured = Made(examples_table(rows), counts_table({}), Checks().table())
    given = task.model_copy(update={"simulated": None})
    found, copies = audited(measured, given, {"genome": str(tmp_path / "genome.fa")})
    assert copies["start"].tolist() == [50_000] and copies["training_start"].tolist() == [3_000]
    assert found.table["no_near_copy"].tolist() == [False, False, True, True, False]
    assert "FAIL" in set(found.checks["status"])
    said = audited(made, task, {})[0].checks.set_index("check").loc["copies of training"]
    assert said["status"] == "PASS" and "without a sequence" in said["detail"]
    table = RegionTable(made.table, files["tables"], files["matrix"])
    test = (made.table["split"] == "test").to_numpy()
    clean = test & (np.arange(len(test)) % 2 == 0)
    values = np.where(clean[:, None, None], table.expression, np.random.default_rng(1).random(table.expression.shape))
    settings = score_settings(study, Run("expression", "cells", "baseline", 1))
    scored = score(settings, made.table.assign(no_near_copy=clean), predictions_of(table, values), None, files)
    value = scored.metrics.set_index(["split", "subset", "metric"])["value"]
    assert value["test", "no_near_copy", "pearson"] == pytest.approx(1) and value["test", "all", "pearson"] < 0.9
