"""Genes, samples and pairs that can be used, those that cannot, and leaks planted on purpose."""

import numpy as np
import pandas as pd
import pysam
import pytest
from glmflow.checks.relations import relations
from glmflow.errors import InputError
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.people import read_people
from glmflow.genome.reference import Reference
from glmflow.genome.tss_windows import tss_windows
from glmflow.genome.variants import build_store
from glmflow.tasks.snp2gex.examples import cohort_examples
from glmflow.tasks.snp2gex.expression_matrix import Expression
from glmflow.tasks.snp2gex.gene_units import people_of
from glmflow.tasks.tables import Division

LENGTHS = {"a": 20_000, "b": 10_000, "c": 10_000}
PEOPLE = [f"P{n:02d}" for n in range(30)]
GENOME = {"by": "contig", "train": ["a"], "validation": ["b"], "test": ["c"]}
TASK = {
    "windows": {"size": 400, "max_n_fraction": 0.1},
    "variants": "all",
    "preprocessing": {
        **{"tpm": False, "max_zero_fraction": 0.5, "log": False, "pseudo_count": 0.01},
        **{"hidden_factors": 2, "fitted_on": "train", "standardise": True},
    },
    "genes": {"by": "genome", "validation": 0.1, "test": 0.3, "seed": 1},
    "people": {"by": "random", "validation": 0.1, "test": 0.3, "seed": 1, "kinship": 0.45, "test_populations": []},
    "control": "none",
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A genome of three contigs and 30 samples; P03 and P21 are the same person."""
    folder, rng = tmp_path_factory.mktemp("cohort"), np.random.default_rng(0)
    bases = {name: rng.choice(list("ACGT"), length) for name, length in LENGTHS.items()}
    bases["a"][15_000:15_400] = "N"
    (folder / "genome.fa").write_text("".join(f">{name}\n{''.join(codes)}\n" for name, codes in bases.items()))
    rows = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    rows += [f"##contig=<ID={name}>" for name in LENGTHS]
    rows.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *PEOPLE]))
    for name, length in LENGTHS.items():
        for position in range(50, length, 40):
            ref = bases[name][position]
            if ref != "N":
                alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
                carried = rng.random((len(PEOPLE), 2)) < 0.3
                carried[21] = carried[3]
                calls = [f"{int(a)}|{int(b)}" for a, b in carried]
                rows.append("\t".join([name, str(position + 1), ".", ref, alt, ".", "PASS", ".", "GT", *calls]))
    (folder / "cohort.vcf").write_text("\n".join(rows) + "\n")
    pysam.tabix_index(str(folder / "cohort.vcf"), preset="vcf", force=True)
    reference = Reference(folder / "genome.fa")
    store = build_store(folder / "cohort.vcf.gz", reference, folder / "store")
    return GeneWindows(HaplotypeReader(store, reference))


def annotation():
    """Twelve genes in training, four each in validation and test, one at a contig's end, one in N, one elsewhere."""
    places = [("a", 600 + 1000 * n) for n in range(12)] + [(c, 600 + 2000 * n) for c in "bc" for n in range(4)]
    places += [("a", 100), ("a", 15_200), ("x", 1000)]
    return pd.DataFrame(
        {
            "gene_id": [f"ENSG{n:03d}.1" for n in range(len(places))],
            "gene_name": [f"N{n}" for n in range(len(places))],
            "chrom": [chrom for chrom, _ in places],
            "tss": [tss for _, tss in places],
            "strand": ["+-"[n % 2] for n in range(len(places))],
        }
    )


def matrix(seed=0, people=PEOPLE):
    """Expression of all annotated genes under other versions of their ids, and of two that nobody knows."""
    names = [gene.replace(".1", ".7") for gene in annotation()["gene_id"]] + ["ENSG901", "LINC1"]
    values = np.random.default_rng(seed).normal(5, 1, (len(names), len(people)))
    return pd.DataFrame(values, index=names, columns=people)


def make(cohort, values=None, truth=None, **task):
    expression = Expression(matrix() if values is None else values, {})
    return cohort_examples(
        TASK | task, expression, annotation(), read_people(None, PEOPLE), cohort, Division(GENOME, 400), truth
    )


def count(made, item):
    (found,) = made.counts.loc[made.counts["item"] == item, "count"]
    return found


def test_every_pair_once_in_the_right_cell(cohort):
    made = make(cohort)
    table = made.table
    assert not table["example"].duplicated().any()
    assert table["example"].tolist() == [f"{g}|{p}" for g, p in zip(table["group"], table["sample"])]
    split_of = dict(zip(made.facts["samples.tsv"]["sample"], made.facts["samples.tsv"]["split"]))
    contig_split = {"a": "train", "b": "validation", "c": "test"}
    for row in table.to_dict("records"):
        both = {contig_split[row["chrom"]], split_of[row["sample"]]}
        expected = "train" if both == {"train"} else "test" if "test" in both else "validation"
        assert row["split"] == expected and both != {"validation", "test"}
        seen = [
            "seen" if part == "train" else "unseen" for part in (contig_split[row["chrom"]], split_of[row["sample"]])
        ]
        assert row["subset"] == f"{seen[0]} genes {seen[1]} individuals"
    between = count(made, "pairs of a validation gene and a test sample, or the other way round")
    assert len(table) + between == 20 * 30
    assert list(made.checks.loc[made.checks["leak"] == "yes", "check"]) == []


def test_the_tss_is_in_the_middle_on_either_strand():
    genes = tss_windows(annotation(), 401).to_dict("records") + tss_windows(annotation(), 400).to_dict("records")
    for gene in genes:
        size = gene["end"] - gene["start"]
        along = gene["tss"] - gene["start"] if gene["strand"] == "+" else gene["end"] - 1 - gene["tss"]
        assert along == size // 2


def test_what_cannot_be_used_is_counted_and_named(cohort):
    people = [*PEOPLE[2:], "STRANGER"]
    values = matrix(people=people)
    values.iloc[0] = 0.0
    values.iloc[1, 5:9] = np.nan
    made = make(cohort, values)
    expected = {
        "samples without genotypes": 1,
        "samples without expression": 2,
        "genes of the matrix without a place in the annotation": 2,
        "genes on contigs without genotypes": 1,
        "genes whose window passes the end of the contig": 1,
        "genes with too many N in their window": 1,
        "genes that are 0 in everyone": 1,
        "pairs without a value": 4,
        "genes used": 19,
        "samples used": 28,
    }
    assert {item: count(made, item) for item in expected} == expected
    details = dict(zip(made.counts["item"], made.counts["detail"]))
    assert details["samples without genotypes"] == "STRANGER" and details["samples without expression"] == "P00, P01"
    assert details["genes of the matrix without a place in the annotation"] == "ENSG901, LINC1"
    assert np.isfinite(made.table["target"]).all()


def test_sums_and_hidden_factors_are_those_of_the_whole_matrix(cohort):
    """A gene without genotypes holds 90 % of the expression."""
    rng = np.random.default_rng(1)
    values = matrix().abs()
    values.loc["ENSG022.7"] = 9 * values.drop(index="ENSG022.7").sum() * rng.uniform(0.99, 1.01, len(PEOPLE))
    asked = {"tpm": True, "hidden_factors": 0, "standardise": False}
    made = make(cohort, values, preprocessing=TASK["preprocessing"] | asked)
    total = values.sum()
    for row in made.table.iloc[::7].to_dict("records"):
        expected = values.at[row["group"].replace(".1", ".7"), row["sample"]] / total[row["sample"]] * 1e6
        assert row["target"] == pytest.approx(expected, rel=1e-12)
    values = matrix()
    made = make(cohort, values, preprocessing=TASK["preprocessing"] | {"hidden_factors": 1})
    training = (made.facts["samples.tsv"]["split"] == "train").to_numpy()
    z = values.sub(values.loc[:, training].mean(axis=1), axis=0).div(
        values.loc[:, training].std(axis=1, ddof=0), axis=0
    )
    loading = np.linalg.svd(z.loc[:, training])[0][:, 0]
    np.testing.assert_allclose(abs(made.facts["samples.tsv"]["factor1"]), abs(loading @ z), rtol=1e-9)


def test_the_same_genome_twice_stays_on_one_side(cohort):
    for seed in range(5):
        made = make(cohort, people=TASK["people"] | {"seed": seed})
        split = dict(zip(made.facts["samples.tsv"]["sample"], made.facts["samples.tsv"]["split"]))
        assert split["P03"] == split["P21"]
        assert count(made, "samples kept together as relatives") == 2


def test_the_same_genome_twice_is_one_unit_of_a_score(cohort):
    """In no table of families: genotypes alone tell, and an interval has to know."""
    families = people_of(make(cohort).facts["samples.tsv"]).families
    assert families["P03"] == families["P21"] and len(set(families.values())) == len(families) - 1
    named = people_of(pd.DataFrame({"sample": ["a", "b", "c"], "family": ["f", "f", None]})).families
    assert named == {"a": "f", "b": "f"}


def test_a_twin_in_training_is_caught(cohort):
    """Relatives are not looked for, so that twins are parted by some draw."""
    for seed in range(20):
        made = make(cohort, people=TASK["people"] | {"seed": seed, "kinship": 0.501})
        split = dict(zip(made.facts["samples.tsv"]["sample"], made.facts["samples.tsv"]["split"]))
        evidence = [made.evidence[name] for name in ("kinship", "samples", "split")]
        found = next(audit for audit in relations(*evidence).audits if audit.name == "one person under two names")
        parted = split["P03"] != split["P21"]
        assert (found.status == "FAIL") == parted
        if parted:
            assert "P03 and P21" in found.sentence or "P21 and P03" in found.sentence
            return
    raise AssertionError("no draw parted the twins")


def test_hidden_factors_of_everyone_are_caught(cohort):
    made = make(cohort, preprocessing=TASK["preprocessing"] | {"fitted_on": "everyone"})
    (leak,) = made.checks[made.checks["leak"] == "yes"].to_dict("records")
    assert leak["check"] == "hidden factors and scaling fitted on samples outside training"
    assert leak["found"] == (made.facts["samples.tsv"]["split"] != "train").sum()


def test_the_control_shuffles_what_is_learned_within_genes_and_nothing_else(cohort):
    plain, shuffled = make(cohort).table, make(cohort, control="permuted_people").table
    assert plain.drop(columns="target").equals(shuffled.drop(columns="target"))
    test = plain["split"] == "test"
    assert plain.loc[test, "target"].equals(shuffled.loc[test, "target"])
    assert (plain.loc[~test, "target"] != shuffled.loc[~test, "target"]).mean() > 0.8
    for table in (plain, shuffled):
        table["target"] = table["target"].round(12)
    by = ["group", "split"]
    sums = [t[~test].groupby(by)["target"].apply(lambda v: tuple(sorted(v))) for t in (plain, shuffled)]
    assert sums[0].equals(sums[1])


def test_shared_haplotypes_are_counted_by_comparing_sequences(cohort):
    made = make(cohort)
    split = dict(zip(made.facts["samples.tsv"]["sample"], made.facts["samples.tsv"]["split"]))
    shared = total = 0
    for gene in made.facts["genes.tsv"][made.facts["genes.tsv"]["split"] == "train"].itertuples():
        place = made.table[made.table["group"] == gene.gene_id].iloc[0]
        found = cohort.haplotypes(place["chrom"], place["start"], place["end"], place["strand"], PEOPLE)
        sequences = {
            (p, h): found.sequences[found.of_person[n, h]].tobytes() for n, p in enumerate(PEOPLE) for h in (0, 1)
        }
        training = {s for (p, _), s in sequences.items() if split[p] == "train"}
        tests = [s for (p, _), s in sequences.items() if split[p] == "test"]
        shared, total = shared + sum(s in training for s in tests), total + len(tests)
    row = made.checks.iloc[-1]
    assert (row["found"], row["of"]) == (shared, total) and row["share"] == pytest.approx(shared / total)


def test_the_ceiling_is_the_correlation_of_truth_and_target_in_test_people(cohort):
    truth = matrix(seed=5).rename(index=lambda gene: gene.replace(".7", ".1"))
    made = make(cohort, truth=truth)
    test = made.facts["samples.tsv"].loc[made.facts["samples.tsv"]["split"] == "test", "sample"].tolist()
    gene = made.facts["genes.tsv"].iloc[2]
    target = made.table.set_index(["group", "sample"])["target"]
    expected = np.corrcoef(truth.loc[gene["gene_id"], test], [target[gene["gene_id"], p] for p in test])[0, 1]
    assert gene["ceiling"] == pytest.approx(expected, abs=1e-12)


def test_people_whom_the_table_leaves_out_are_not_said_to_lack_genotypes(cohort, tmp_path):
    (tmp_path / "samples.tsv").write_text("\n".join(["sample", *PEOPLE[3:], ""]))
    people = read_people(tmp_path / "samples.tsv", PEOPLE)
    expression = Expression(matrix(people=[*PEOPLE, "STRANGER"]), {})
    made = cohort_examples(TASK, expression, annotation(), people, cohort, Division(GENOME, 400))
    named = dict(zip(made.counts["item"], zip(made.counts["count"], made.counts["detail"])))
    assert named["samples without genotypes"] == (1, "STRANGER")
    assert named["samples with genotypes who are not in cohort.samples"] == (3, "P00, P01, P02")
    assert made.facts["samples.tsv"]["sample"].tolist() == PEOPLE[3:] and count(made, "samples used") == 27
    with pytest.raises(InputError, match="none of the 3 samples of the expression matrix is in cohort"):
        cohort_examples(
            TASK, Expression(matrix(people=PEOPLE[:3]), {}), annotation(), people, cohort, Division(GENOME, 400)
        )


def test_nobody_or_nothing_in_common_is_refused(cohort):
    with pytest.raises(InputError, match="none of the 30 samples of the expression matrix has genotypes"):
        make(cohort, matrix(people=[f"X{n}" for n in range(30)]))
    with pytest.raises(InputError, match="no gene of the matrix"):
        make(cohort, matrix().rename(index=lambda name: f"other{name}"))


def test_a_matrix_of_several_versions_of_every_gene_says_so(cohort):
    values = pd.concat([matrix().iloc[:5], matrix(1).iloc[:5].rename(index=lambda name: name.replace(".7", ".8"))])
    with pytest.raises(InputError, match=r"several versions of its id \(ENSG000") as found:
        make(cohort, values)
    assert "Keep one version of each gene" in str(found.value)
