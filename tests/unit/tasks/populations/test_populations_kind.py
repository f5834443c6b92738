"""Population classes as the workflow runs them: haplotypes of a made cohort, baselines on its alleles, scores over windows."""

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.baselines.fitting_data import FittingData
from glmflow.baselines.populations import FITS
from glmflow.checks.examples_audit import audited
from glmflow.config.baselines import BASELINES
from glmflow.config.blocks import kind_of
from glmflow.config.tasks.populations import Populations
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.genome.reference import Reference
from glmflow.genome.variants import build_store
from glmflow.statistics.classification import class_scores
from glmflow.tasks.populations import examples, score
from glmflow.tasks.populations.distinctness import near_haplotypes
from glmflow.tasks.populations.population_scores import of_windows
from glmflow.tasks.populations.swapped_people import swapped_people
from glmflow.tasks.tables import Division

SIZE, SAMPLES = 200, 40


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Two populations whose haplotypes differ at a third of the sites of the first window, and in nothing else."""
    folder = tmp_path_factory.mktemp("cohort")
    generator = np.random.default_rng(0)
    genome = "".join(generator.choice(list("ACGT"), 4 * SIZE))
    (folder / "g.fa").write_text(f">1\n{genome}\n")
    pysam.faidx(str(folder / "g.fa"))
    names = [f"s{i:02}" for i in range(SAMPLES)]
    population = np.repeat(["north", "south"], SAMPLES // 2)
    pd.DataFrame({"Sample": names, "pop": population, "region": "all"}).to_csv(
        folder / "people.tsv", sep="\t", index=False
    )
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID=1,length={len(genome)}>"]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="x">')
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]))
    for window, count in ((0, 30), (2, 24)):
        for number in range(count):
            pos = window * SIZE + 5 + 6 * number
            often = np.where((population == "north") & (window == 0) & (number % 3 == 0), 0.8, 0.2)
            alleles = (generator.random((SAMPLES, 2)) < often[:, None]).astype(int)
            ref = genome[pos]
            alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
            calls = [f"{a}|{b}" for a, b in alleles]
            lines.append("\t".join(["1", str(pos + 1), ".", ref, alt, ".", "PASS", ".", "GT", *calls]))
    (folder / "c.vcf").write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(folder / "c.vcf"), preset="vcf")
    build_store(folder / "c.vcf.gz", Reference(folder / "g.fa"), folder / "store")
    return {"fasta": str(folder / "g.fa"), "store": str(folder / "store"), "samples": str(folder / "people.tsv")}


def task(**settings):
    windows = {"size": SIZE, "densest": 2}
    return Populations.model_validate({"kind": "populations", "windows": windows, "bootstrap": 50, **settings})


def made(cohort, **settings):
    return examples(task(**settings), cohort, Division())


def test_both_haplotypes_of_every_sample_in_the_densest_windows(cohort):
    found = made(cohort)
    table = found.table
    assert len(table) == SAMPLES * 2 * 2 and set(table["start"]) == {0, 2 * SIZE}
    assert found.facts["classes.tsv"]["class"].tolist() == ["north", "south"]
    assert table["sequence"].str.len().eq(SIZE).all()
    genome = Reference(cohort["fasta"])
    own = table[(table["start"] == 0)].iloc[0]
    reference = genome.fetch_string("1", 0, SIZE)
    differs = {i for i, (a, b) in enumerate(zip(own["sequence"], reference)) if a != b}
    assert differs and all((i - 5) % 6 == 0 for i in differs)  # the sites of the first window
    for _, part in table.groupby("sample"):
        assert part["split"].nunique() == 1 and part["target"].nunique() == 1
    checks = found.checks.set_index("check")
    assert checks.loc["test haplotypes whose sample is in training", "found"] == 0
    assert checks.loc["swapped labels", "status"] == "PASS"


def test_controls(cohort):
    plain = made(cohort).table
    same = made(cohort, control="reference").table
    assert same.groupby("start")["sequence"].nunique().tolist() == [1, 1] and (same["target"] == plain["target"]).all()
    permuted = made(cohort, control="permuted_labels").table
    assert (permuted["sequence"] == plain["sequence"]).all() and (permuted["target"] != plain["target"]).any()
    counts = [table[table["split"] == "train"]["target"].value_counts().to_dict() for table in (permuted, plain)]
    assert counts[0] == counts[1]  # families are of one sample here
    test = plain["split"] == "test"
    assert (permuted["split"] == plain["split"]).all() and (permuted["target"] == plain["target"])[test].all()
    assert task(control="permuted_labels").control_draws == 10 and task(control="reference").control_draws == 1


def predictions(cohort, found, name, folder, **settings):
    write_table(found.facts["classes.tsv"], folder / "classes.tsv")
    block = next(one for one in BASELINES if kind_of(one) == name)
    run = {
        "study": "s", "task_label": "t", "model_label": name, "adaptation_label": "b", "seed": 1,
        "task": task(**settings).model_dump(mode="json"),
    }  # fmt: skip
    files = {**cohort, "tables": str(folder)}
    table = FITS[name](FittingData(block(kind=name), run, found.table, files))(folder)
    return score(run, found.table, table, folder, files).metrics.set_index(["split", "subset", "track", "metric"])


def test_a_linear_model_of_alleles_finds_what_was_planted_and_only_there(cohort, tmp_path):
    found = made(cohort, splits={"test": 0.4, "validation": 0.1})
    rows = predictions(cohort, found, "allele_logistic", tmp_path, splits={"test": 0.4, "validation": 0.1})
    first, second = (rows.loc[("test", "all", track, "auroc")] for track in ("1:0-200", "1:400-600"))
    assert first["value"] > 0.95 and first["ci_low"] > 0.5
    assert abs(second["value"] - 0.5) < 0.25
    both = rows.loc[("test", "all", "mean", "auroc")]
    assert both["value"] == pytest.approx((first["value"] + second["value"]) / 2)
    assert both["ci_low"] < second["value"] + 0.1 and both["ci_high"] > first["value"] - 0.1  # windows are resampled
    nearest = predictions(cohort, found, "nearest_haplotype_class", tmp_path)
    assert nearest.loc[("test", "all", "1:0-200", "accuracy"), "value"] > 0.8


def test_nothing_is_found_where_everyone_carries_the_reference(cohort, tmp_path):
    found = made(cohort, control="reference")
    for name in FITS:
        rows = predictions(cohort, found, name, tmp_path, control="reference")
        assert rows.loc[("test", "all", "mean", "auroc"), "value"] == pytest.approx(0.5)


def test_the_score_of_one_window_is_that_of_its_rows():
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 2, 60)
    scores = generator.random((60, 2))
    scores /= scores.sum(axis=1, keepdims=True)
    windows = np.repeat(["a", "b"], 30)
    found = {(t, m): i for t, m, i in of_windows(truth, scores, windows, np.tile(np.arange(15), 4), 200)}
    for name, rows in (("a", slice(0, 30)), ("b", slice(30, 60))):
        own = class_scores(truth[rows], scores[rows], np.ones((1, 30)))
        assert found[name, "mcc"].value == pytest.approx(own["mcc"][0])
        assert found[name, "mcc"].low < found[name, "mcc"].value < found[name, "mcc"].high
    assert found["mean", "mcc"].value == pytest.approx((found["a", "mcc"].value + found["b", "mcc"].value) / 2)


def test_mistakes_are_one_line(cohort, tmp_path):
    with pytest.raises(InputError, match="no column 'ancestry'"):
        made(cohort, column="ancestry")
    with pytest.raises(InputError, match="2 windows cannot be held out"):
        made(cohort, splits={"by": "loci"})
    (tmp_path / "w.bed").write_text("1\t0\t150\n")
    with pytest.raises(InputError, match=r"1:0-150 has 150 bases, and windows.size is 200"):
        examples(task(), {**cohort, "regions": str(tmp_path / "w.bed")}, Division())
    with pytest.raises(InputError, match="class east has fewer than 6"):
        made(cohort, classes=["north", "east"])


def test_haplotypes_next_to_equal_to_a_known_one_are_left_out_beside_the_whole():
    alleles = np.random.default_rng(0).integers(0, 2, (6, 100)).astype(np.uint8)
    alleles[3] = alleles[0]
    alleles[4] = alleles[1]
    alleles[4, 7] ^= 1
    rows = pd.DataFrame({"example": list("abcdef"), "split": ["train", "train", "train", "test", "test", "test"]})
    found = near_haplotypes(alleles, rows)
    assert found[["example", "nearest_training", "relation"]].to_numpy().tolist() == [
        ["d", "a", "exact"], ["e", "b", "near"]
    ]  # fmt: skip
    assert found["share"].tolist() == pytest.approx([1, 0.99])


def test_near_haplotypes_are_said_and_windows_are_compared_where_they_are_held_out(cohort):
    found = made(cohort, splits={"test": 0.4, "validation": 0.1})
    checks = found.checks.set_index("check")
    near = checks.loc["test haplotypes that are next to equal to a training one"]
    assert near["found"] == len(found.copies) and near["status"] == ("WARN" if len(found.copies) else "PASS")
    if len(found.copies):
        clean = found.table["no_near_copy"]
        assert clean.sum() == found.table["split"].ne("train").sum() - len(found.copies)
    reference = task(control="reference")
    said = audited(examples(reference, cohort, Division()), reference, cohort)[0].checks.set_index("check")
    assert "everyone carries the reference" in said.loc["copies of training", "detail"]


def test_classes_of_test_samples_that_are_swapped():
    generator = np.random.default_rng(0)
    target = np.repeat(np.array(["east", "north", "south"], object), 80)
    split = np.tile(np.array(["train", "test"], object), 120)
    often = {
        "east": np.full(60, 0.2),
        "north": 0.2 + 0.2 * (np.arange(60) % 3 == 0),
        "south": 0.2 + 0.2 * (np.arange(60) % 3 == 1),
    }
    windows = [np.array([generator.binomial(2, often[name]) for name in target]).astype(np.uint8) for _ in range(3)]
    classes = ["east", "north", "south"]
    sound = swapped_people(windows, target, split, classes)
    assert sound.verdict == "PASS"
    other = np.where(split == "test", pd.Series(target).replace({"north": "south", "south": "north"}), target)
    found = swapped_people(windows, other, split, classes)
    assert found.verdict == "FAIL" and "north and south, AUROC 0." in found.text and "east" not in found.text
    nothing = swapped_people(windows, generator.permutation(target), split, classes)
    assert nothing.verdict == "PASS"


def test_a_sample_under_two_names_in_two_splits_is_named(tmp_path):
    rng, size, count = np.random.default_rng(4), 400, 12
    genome = "".join(rng.choice(list("ACGT"), size * count))
    (tmp_path / "g.fa").write_text(f">1\n{genome}\n")
    pysam.faidx(str(tmp_path / "g.fa"))
    names = [f"s{i:02}" for i in range(40)]
    alleles = (rng.random((size * count // 8, 40, 2)) < rng.uniform(0.1, 0.5, size * count // 8)[:, None, None]).astype(
        int
    )
    twin = alleles[:, 0].copy()
    wrong = rng.random(twin.shape) < 0.04
    alleles[:, 39] = np.where(wrong, 1 - twin, twin)  # some 8 % of genotypes
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID=1,length={len(genome)}>"]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="x">')
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]))
    for number, own in enumerate(alleles):
        ref = genome[8 * number + 3]
        calls = [f"{a}|{b}" for a, b in own]
        alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
        lines.append("\t".join(["1", str(8 * number + 4), ".", ref, alt, ".", "PASS", ".", "GT", *calls]))
    (tmp_path / "c.vcf").write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(tmp_path / "c.vcf"), preset="vcf")
    build_store(tmp_path / "c.vcf.gz", Reference(tmp_path / "g.fa"), tmp_path / "store")
    pd.DataFrame({"sample": names, "population": ["a", "b"] * 20}).to_csv(tmp_path / "s.tsv", sep="\t", index=False)
    given = {"fasta": str(tmp_path / "g.fa"), "store": str(tmp_path / "store"), "samples": str(tmp_path / "s.tsv")}
    for seed in range(20):
        block = task(windows={"size": size, "densest": count}, splits={"test": 0.4, "validation": 0.1, "seed": seed})
        found = examples(block, given, Division())
        split = found.table.drop_duplicates("sample").set_index("sample")["split"]
        if split["s00"] != split["s39"]:
            break
    checks = audited(found, block, given)[0].checks
    (row,) = checks[checks["detail"].fillna("").str.contains("s00 and s39")].to_dict("records")
    assert row["status"] == "FAIL"
    few = task(windows={"size": size, "densest": 3})
    said = audited(examples(few, given, Division()), few, given)[0].checks["detail"].fillna("")
    assert said.str.contains("3 windows are too few to tell which samples are related").any()
