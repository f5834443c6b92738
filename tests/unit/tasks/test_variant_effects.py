"""Metrics and trivial scores of variants: fixtures, scikit-learn, definitions in loops, and the figures of real data."""

import json

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.genome.reference import Reference
from glmflow.statistics.classification import auroc
from glmflow.tasks.variant_effects import trivial_scores as trivial
from glmflow.tasks.variant_effects.binary_effects import binary_rows, paired_difference
from glmflow.tasks.variant_effects.effect_examples import from_table, from_vcf
from glmflow.tasks.variant_effects.effect_scoring import effect_metrics, kinds_of, signed
from glmflow.tasks.variant_effects.effect_units import Units, draws_of, over_draws, units_of
from glmflow.tasks.variant_effects.measured_effects import measured_rows, weighted_pearson
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

FEW = 50  # draws


def value(rows, metric, subset="all", protocol="strict"):
    found = [
        row for row in rows
        if (row["metric"], row["subset"], row.get("protocol", "strict")) == (metric, subset, protocol)
    ]  # fmt: skip
    assert len(found) == 1, (metric, subset, protocol, len(found))
    return found[0]


def variants(n=200, seed=0, chromosomes=9):
    random = np.random.default_rng(seed)
    return pd.DataFrame({
        "chrom": [f"chr{1 + i % chromosomes}" for i in range(n)],
        "start": random.integers(0, 10**6, n),
        "ref": "A",
        "alt": "C",
        "target": (random.random(n) < 0.3).astype(int),
        "consequence": random.choice(["missense", "distal"], n),
    })  # fmt: skip


@pytest.mark.real
def test_metrics_of_the_fixtures(test_data):
    folder = test_data / "variant_effects" / "expected" / "metrics"
    expected = json.loads((folder / "expected.json").read_text())
    table = pd.read_csv(folder / "scores.tsv", sep="\t", keep_default_na=False)
    scores = pd.to_numeric(table["score"], errors="coerce").to_numpy()
    examples = table.rename(columns={"pos": "start", "label": "target", "gene": "group"})
    rows = binary_rows(examples, scores, least=1, draws=FEW)
    strict, official = expected["strict"], expected["official"]
    pairs = [
        ("auroc", strict["AUROC"], "strict"),
        ("auprc", strict["AUPRC"], "strict"),
        ("auprc_by_chrom", strict["AUPRC_by_chrom_weighted_by_positives"], "strict"),
        ("top1", strict["top1_by_match_group"], "strict"),
        ("pairwise", strict["pairwise_by_match_group"], "strict"),
        ("auroc_mean_consequence", strict["AUROC_mean_over_consequences"], "strict"),
        ("auroc", official["AUROC"], "official"),
        ("auprc", official["AUPRC"], "official"),
        ("auprc_by_chrom", official["AUPRC_by_chrom_weighted_average"], "official"),
        ("top1", official["Accuracy_by_match_group"], "official"),
    ]
    for metric, number, protocol in pairs:
        assert value(rows, metric, protocol=protocol)["value"] == pytest.approx(number, abs=1e-12), (metric, protocol)
    assert value(rows, "n_without_score")["value"] == expected["n_missing"]
    assert value(rows, "auprc_by_chrom")["n"] == strict["chromosomes_used"]
    assert value(rows, "chromosomes_without_both_classes")["value"] == strict["chromosomes_without_both_classes"]
    assert value(rows, "top1")["n"] == strict["match_groups_used"]
    for name, one in strict["by_consequence"].items():
        for metric, key in (("auroc", "AUROC"), ("auprc", "AUPRC"), ("base_rate", "base_rate"), ("n_pos", "positives")):
            assert value(rows, metric, f"consequence:{name}")["value"] == pytest.approx(one[key])
        assert value(rows, "auroc", f"consequence:{name}")["n"] == one["n"]
    scored = examples[np.isfinite(scores)].reset_index(drop=True)
    alone = roc_auc_score(scored["target"], trivial.consequence_frequency(scored))
    assert alone == pytest.approx(strict["AUROC_of_consequence_alone_leave_one_chromosome_out"])
    flat = binary_rows(scored, trivial.constant(len(scored)), draws=FEW)
    for metric, key in (("auroc", "AUROC"), ("auprc", "AUPRC"), ("top1", "top1")):
        assert value(flat, metric)["value"] == pytest.approx(strict["constant_score"][key])


def test_missing_scores_are_left_out_and_counted_and_rank_last_in_a_row_of_their_own():
    table = variants()
    scores = np.random.default_rng(1).random(len(table))
    missing = np.arange(len(table)) % 7 == 0
    holes = np.where(missing, np.nan, scores)
    rows = binary_rows(table, holes, draws=FEW)
    labels = table["target"].to_numpy()
    assert value(rows, "auroc")["value"] == pytest.approx(roc_auc_score(labels[~missing], scores[~missing]))
    last = np.where(missing, -1, scores)
    assert value(rows, "auroc_missing_last")["value"] == pytest.approx(roc_auc_score(labels, last))
    assert value(rows, "n_without_score")["value"] == missing.sum()
    everything = binary_rows(table, np.full(len(table), np.nan), draws=FEW)
    assert [row["metric"] for row in everything] == ["n_without_score"]


def test_a_subset_needs_enough_of_both_classes():
    table = variants()
    table.loc[:4, "consequence"] = "rare"
    rows = binary_rows(table, np.arange(200.0), draws=FEW)
    found = {row["subset"] for row in rows if row["metric"] == "auroc"}
    assert {"consequence:missense", "consequence:distal"} < found and "consequence:rare" not in found
    assert value(rows, "auroc_mean_consequence")["n"] == 2


def test_the_unit_is_the_largest_with_enough_of_them():
    table = variants()
    assert units_of(table).name == "chrom"
    table["chrom"] = "chr1"
    table["group"] = [f"g{i % 10}" for i in range(200)]
    assert units_of(table).name == "group"
    few = table.assign(group="one", start=[i // 3 for i in range(200)])
    units = units_of(few)
    assert units.name == "site" and units.count == 67 and (units.codes[:3] == units.codes[0]).all()


def test_intervals_are_of_units_and_are_the_same_for_a_seed():
    table = variants(seed=2)
    table["group"] = None
    scores = table["target"] + np.random.default_rng(0).normal(0, 1, 200)
    rows = [value(binary_rows(table, scores.to_numpy(), draws=200, seed=s), "auroc") for s in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]
    assert rows[0]["ci_low"] < rows[0]["value"] < rows[0]["ci_high"]
    # one draw by hand: chromosomes drawn with replacement
    units = units_of(table)
    weights = draws_of(units, 1, seed=5)[0]
    repeated = np.concatenate(
        [np.flatnonzero(units.codes == unit) for unit, n in enumerate(weights) for _ in range(int(n))]
    )
    one = over_draws(lambda drawn: auroc(table["target"] == 1, scores, drawn), weights[None], units.codes)
    assert one[0] == pytest.approx(roc_auc_score(table["target"][repeated], scores[repeated]))
    assert draws_of(Units("x", np.zeros(3, int)), 4).tolist() == [[1.0]] * 4


def test_a_difference_of_models_is_paired():
    table = variants(seed=3)
    random = np.random.default_rng(0)
    good = table["target"] + random.normal(0, 1, 200)
    nearly = good + random.normal(0, 0.05, 200)
    found = paired_difference(table, good.to_numpy(), nearly.to_numpy(), draws=200)
    alone = value(binary_rows(table, good.to_numpy(), draws=200), "auroc")
    assert found.high - found.low < (alone["ci_high"] - alone["ci_low"]) / 3
    same = paired_difference(table, good.to_numpy(), good.to_numpy(), draws=20)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_sign_is_the_tasks():
    table = variants()
    dislikes = -2.0 * table["target"] + np.random.default_rng(0).normal(0, 1, 200)
    good = effect_metrics(table, dislikes, "minus", draws=FEW)
    wrong = effect_metrics(table, dislikes, "plus", draws=FEW)
    pick = lambda t: t[(t["metric"] == "auroc") & (t["subset"] == "all") & (t["protocol"] == "strict")]["value"].item()  # noqa: E731
    assert pick(good) > 0.8 and pick(wrong) == pytest.approx(1 - pick(good))
    assert signed(np.array([-2.0, 1]), "magnitude").tolist() == [2, 1]
    assert set(good["protocol"]) == {"strict", "official"} and (good["adaptation"] == "zero_shot").all()


def test_kinds_of_change():
    ref = pd.Series(["A", "AC", "A", "A" * 5, "A", "A" * 30, "AT"])
    alt = pd.Series(["C", "GT", "AT", "A", "A" * 21, "A", "A"])
    consequence = pd.Series([""] * 6 + ["frameshift_variant"])
    assert kinds_of(ref, alt, consequence).tolist() == [
        "snv", "mnv", "indel_1_3", "indel_4_20", "indel_4_20", "indel_over_20", "frameshift"
    ]  # fmt: skip


def test_measured_effects_within_and_over_elements():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"chrom": np.repeat(["e1", "e2", "e3"], 40), "start": np.tile(range(40), 3),
                          "ref": "A", "alt": "C", "target": random.normal(size=120)})  # fmt: skip
    table["element"] = table["chrom"]
    scores = np.abs(table["target"]) * np.repeat([1, 10, 100], 40) + random.normal(0, 0.1, 120)
    rows = measured_rows(table, scores.to_numpy(), "magnitude", draws=FEW)
    effects = table["target"].abs()
    assert value(rows, "spearman")["value"] == pytest.approx(spearmanr(scores, effects)[0])
    each = [
        spearmanr(scores[table["chrom"] == name], effects[table["chrom"] == name])[0] for name in ("e1", "e2", "e3")
    ]
    assert value(rows, "spearman_mean_element")["value"] == pytest.approx(np.mean(each))
    assert value(rows, "spearman_pooled_ranks")["value"] > value(rows, "spearman")["value"]
    assert value(rows, "spearman", "chrom:e2")["value"] == pytest.approx(each[1])
    plain = measured_rows(table, table["target"].to_numpy(), "signed", draws=FEW)
    assert value(plain, "spearman")["value"] == pytest.approx(1)
    weights = random.integers(0, 3, (4, 120)).astype(float)
    for row, found in zip(weights, weighted_pearson(scores.to_numpy(), effects.to_numpy(), weights)):
        repeat = np.repeat(np.arange(120), row.astype(int))
        assert found == pytest.approx(np.corrcoef(scores[repeat], effects[repeat])[0, 1])


def test_trivial_scores_are_what_they_say():
    assert trivial.transition(pd.Series(["A", "c", "A", "AC"]), pd.Series(["G", "t", "C", "A"])).tolist()[:3] == [
        1,
        1,
        0,
    ]
    windows = np.frombuffer(b"TTCGATTACGAAATCGCA", np.uint8).reshape(2, 9)
    cpg = np.stack([np.frombuffer(text, np.uint8) for text in (b"AACGT", b"ACGTT", b"AACAT")])
    assert trivial.cpg_transition(cpg, pd.Series(["T", "A", "T"])).tolist() == [1, 1, 0]
    assert trivial.gc_content(windows).tolist() == pytest.approx([3 / 9, 4 / 9])
    assert trivial.allele_frequency(pd.Series(["0.1", "", None])).tolist() == [-0.1, 0, 0]
    ranks = trivial.consequence_rank(
        pd.Series(["stop_gained", "Splice region", "Missense", "5' UTR", "Synonymous", "odd"])
    )
    assert ranks.tolist() == [6, 3, 4, 1, 2, 0]
    table = pd.DataFrame({"chrom": ["a", "a", "b"], "start": [10, 95, 5]})
    starts = pd.DataFrame({"chrom": ["a", "a"], "tss": [0, 100]})
    assert trivial.distance_to_start(table, starts).tolist()[:2] == [-10, -5]
    assert np.isnan(trivial.distance_to_start(table, starts)[2])
    assert trivial.distance_to_centre(table, {"a": 101, "b": 11}).tolist() == [-40, -45, 0]


def test_context_counts_take_the_variants_own_occurrence_away():
    codes = np.frombuffer(b"ACGTACNAC", np.uint8)
    counts = trivial.context_counts(codes, 2)
    both = "ACGTAC AC" + " " + "GT GTACGT"
    for number in range(16):
        pair = "ACGT"[number // 4] + "ACGT"[number % 4]
        assert counts[number] == sum(both.startswith(pair, i) for i in range(len(both)))
    counts = trivial.context_counts(codes, 3)
    windows = np.frombuffer(b"ACG", np.uint8)[None]
    acg, atg = counts[0 * 16 + 1 * 4 + 2], counts[0 * 16 + 3 * 4 + 2]
    found = trivial.context_llr(windows, pd.Series(["T"]), counts, 3)
    assert found[0] == pytest.approx(np.log(atg + 0.5) - np.log(acg - 1 + 0.5))


def test_a_ceiling_never_sees_its_own_fold():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    folds = pd.Series([f"c{i % 4}" for i in range(200)])
    features = labels[:, None] + random.normal(0, 1, (200, 3))
    assert roc_auc_score(labels, trivial.supervised_ceiling(features, labels, folds)) > 0.8
    leak = np.eye(200)  # each row has a column of its own: nothing is learned for other folds
    found = trivial.supervised_ceiling(leak, labels, folds)
    for fold in folds.unique():
        assert np.ptp(found[folds == fold]) < 1e-6


def test_examples_of_a_table_and_of_a_vcf(tmp_path):
    (tmp_path / "in.tsv").write_text(
        "chr\tPOS\tref\talt\tclass\tcsq\n1\t5\tA\tC\tP\tmissense\n1\t5\tA\tC\tB\tmissense\n1\t9\tAT\tA\tVUS\tframeshift\n"
        "1\t7\tA\tG\t\tmissense\n"
    )
    labels = {"P": 1, "B": 0, "VUS": None}
    found = from_table(tmp_path / "in.tsv", "class", labels, {"consequence": "csq"})
    assert found.table["example"].tolist() == ["1:5:A:C", "1:5:A:C#2"] and found.table["start"].tolist() == [4, 4]
    assert found.table["target"].tolist() == [1, 0] and found.left_out == {"label_left_out": 2}
    with pytest.raises(InputError, match="label 'VUS' of 1 variants is not named"):
        from_table(tmp_path / "in.tsv", "class", {"P": 1, "B": 0})
    with pytest.raises(InputError, match="no column target"):
        from_table(tmp_path / "in.tsv", "label")
    with pytest.raises(InputError, match="the target 'P' is no number"):
        from_table(tmp_path / "in.tsv", "class")
    many = from_table(tmp_path / "in.tsv", "class", labels, least={"POS": 5})
    assert many.left_out == {"label_left_out": 2} and len(many.table) == 2
    with pytest.raises(InputError, match="no variant has a target"):
        from_table(tmp_path / "in.tsv", "class", labels, least={"POS": 6})
    (tmp_path / "in.vcf").write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=1,length=100>\n"
        '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="x">\n##INFO=<ID=GENE,Number=1,Type=String,Description="x">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "1\t5\t.\tA\tC,G\t.\t.\tCLNSIG=P,B;GENE=g1\n1\t8\t.\tA\tC\t.\t.\tGENE=g2\n1\t9\t.\tA\tC\t.\t.\tCLNSIG=VUS\n"
    )
    found = from_vcf(tmp_path / "in.vcf", "CLNSIG", labels, {"group": "GENE"})
    assert found.table[["alt", "target", "group"]].to_numpy().tolist() == [["C", 1, "g1"], ["G", 0, "g1"]]
    assert found.left_out == {"no_label": 1, "label_left_out": 1}


@pytest.fixture(scope="module")
def brca1(test_data):
    folder = test_data / "variant_effects" / "brca1_sge"
    columns = {
        "consequence": "consequence",
        "exon": "exon",
        "cadd": "cadd",
        "phylop": "phylop_mammalian",
        "clinvar": "clinvar_simple",
    }
    found = from_table(folder / "variants.tsv", "func_class", {"FUNC": 0, "INT": 0, "LOF": 1}, columns)
    return found.table, Reference(folder / "genome.fa")


@pytest.mark.real
def test_what_models_have_to_beat_on_brca1(brca1):
    table, genome = brca1
    labels = table["target"]
    around = np.stack([genome.fetch("chr17w", s - 100, s + 101) for s in table["start"]])
    scores = {
        "cadd": pd.to_numeric(table["cadd"]).to_numpy(),
        "phylop": pd.to_numeric(table["phylop"]).to_numpy(),
        "consequence": trivial.consequence_rank(table["consequence"]),
        "transition": trivial.transition(table["ref"], table["alt"]),
        "cpg": trivial.cpg_transition(around, table["alt"]),
        "gc": trivial.gc_content(around),
    }
    found = {name: roc_auc_score(labels[np.isfinite(s)], s[np.isfinite(s)]) for name, s in scores.items()}
    expected = {"cadd": 0.804, "phylop": 0.781, "transition": 0.462, "cpg": 0.499, "gc": 0.480}
    for name, number in expected.items():
        assert found[name] == pytest.approx(number, abs=1.5e-3), name
    assert found["consequence"] == pytest.approx(0.763, abs=1e-3)
    clinical = table["clinvar"].map({"Pathogenic": 1, "Likely pathogenic": 1, "Benign": 0, "Likely benign": 0})
    known = clinical.notna().to_numpy()
    pooled = {name: roc_auc_score(clinical[known], scores[name][known]) for name in ("consequence", "cadd", "phylop")}
    assert pooled == pytest.approx({"consequence": 0.983, "cadd": 0.969, "phylop": 0.871}, abs=1.5e-3)
    rows = binary_rows(table, scores["cadd"], draws=20)
    assert value(rows, "auroc", "consequence:Missense")["value"] == pytest.approx(0.738, abs=1e-3)
    assert value(rows, "n_pos", "consequence:Missense")["value"] == 441


@pytest.mark.real
def test_what_models_have_to_beat_in_reporter_assays(test_data):
    folder = test_data / "variant_effects" / "satmut_mpra"
    columns = {"element": "chrom", "barcodes": "barcodes"}
    table = from_table(folder / "variants.tsv.gz", "effect_log2", None, columns).table
    table = table[table["kind"] == "snv"].reset_index(drop=True)
    lengths = Reference(folder / "elements.fa").contigs
    scores = {
        "barcodes": -pd.to_numeric(table["barcodes"]).to_numpy(float),
        "transversion": 1 - trivial.transition(table["ref"], table["alt"]),
        "centre": trivial.distance_to_centre(table, lengths),
    }
    for name, (mean, largest) in {
        "barcodes": (0.19, 0.45),
        "transversion": (0.13, 0.30),
        "centre": (0.17, 0.62),
    }.items():
        each = [
            spearmanr(scores[name][rows], table["target"].abs()[rows])[0]
            for rows in table.groupby("chrom").indices.values()
        ]
        assert np.nanmean(each) == pytest.approx(mean, abs=0.02), name
        assert np.nanmax(np.abs(each)) == pytest.approx(largest, abs=0.02), name
