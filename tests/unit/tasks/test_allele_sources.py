"""Files of labelled alleles as they are published: ClinVar's VCF, TraitGym's table, tables without REF."""

import numpy as np
import pandas as pd
import pytest
from glmflow.config.allele_sets import allele_sets
from glmflow.config.tasks.variant_effects import VariantEffects
from glmflow.errors import InputError
from glmflow.report.alleles.leaderboards import browser_links
from glmflow.tasks.variant_effects.binary_effects import binary_rows
from glmflow.tasks.variant_effects.effect_steps import examples
from glmflow.tasks.variant_effects.effect_units import units_of
from glmflow.tasks.variant_effects.measured_effects import measured_rows

KIND = "variant_effects"


@pytest.fixture
def genome(tmp_path):
    (tmp_path / "genome.fa").write_text(">chr1\nACGTACGTACGTACGTACGT\n>chr2\nTTTTTCCCCC\n")
    return {"fasta": tmp_path / "genome.fa"}


def made(task, path, genome):
    return examples(task, genome | {"variants": path}, None)


CLINVAR = """##fileformat=VCFv4.1
##INFO=<ID=CLNSIG,Number=.,Type=String,Description="x">
##INFO=<ID=MC,Number=.,Type=String,Description="x">
##INFO=<ID=GENEINFO,Number=1,Type=String,Description="x">
##contig=<ID=1>
##contig=<ID=MT>
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO
1	1	a	A	C	.	.	CLNSIG=Pathogenic/Likely_pathogenic;MC=SO:0001583|missense_variant,SO:0001627|intron_variant;GENEINFO=G1:672|G2:7
1	2	b	C	T	.	.	CLNSIG=Likely_benign;MC=SO:0001819|synonymous_variant;GENEINFO=G1:672
1	3	c	G	T	.	.	CLNSIG=Uncertain_significance;MC=SO:0001819|synonymous_variant;GENEINFO=G1:672
1	4	d	T	C	.	.	CLNSIG=Pathogenic|risk_factor;GENEINFO=G1:672
MT	4	e	T	C	.	.	CLNSIG=Benign
"""


def test_the_vcf_of_clinvar_needs_no_more_than_its_name(tmp_path, genome):
    (tmp_path / "clinvar.vcf").write_text(CLINVAR)
    task = VariantEffects(kind=KIND, vcf="clinvar.vcf", preset="clinvar")
    found = made(task, tmp_path / "clinvar.vcf", genome)
    table = found.table.set_index("start")
    assert table["target"].to_dict() == {0: 1, 1: 0, 3: 0} and table["chrom"].tolist() == ["chr1", "chr1", "MT"]
    assert table["consequence"].tolist()[:2] == ["missense_variant", "synonymous_variant"]
    assert table["group"].tolist()[:2] == ["G1", "G1"]
    assert table["reason"].tolist() == ["", "", "missing_contig"]
    counts = found.counts.set_index("item")["count"]
    assert counts["left out: label left out"] == 2  # uncertain, and a value that the preset does not name


def test_a_table_of_traitgym_has_labels_matched_groups_and_its_own_sign(tmp_path, genome):
    pd.DataFrame({"chrom": ["1", "1", "2"], "pos": [1, 2, 6], "ref": ["A", "C", "C"], "alt": ["C", "T", "G"],
                  "label": [True, False, False], "consequence": ["5_prime_UTR_variant"] * 3,
                  "match_group": ["g0", "g0", "g0"]}).to_parquet(tmp_path / "test.parquet")  # fmt: skip
    signs = {}
    for name in ("mendelian_traits", "complex_traits"):
        task = VariantEffects(kind=KIND, table="x", preset=f"traitgym/{name}")
        table = made(task, tmp_path / "test.parquet", genome).table
        assert table["target"].tolist() == [1, 0, 0] and set(table["match_group"]) == {"g0"}
        assert table["chrom"].tolist() == ["chr1", "chr1", "chr2"] and (table["reason"] == "").all()
        signs[name] = task.sign
    assert signs == {"mendelian_traits": "minus", "complex_traits": "magnitude"}


def test_a_table_without_ref_takes_the_bases_of_the_genome_and_the_rows_that_are_wanted(tmp_path, genome):
    head = "CHROM,POS,ALT,label,tissue,distance_to_nearest_TSS,split\n"
    rows = "chr1,1,C,1,Liver,10,test\nchr1,2,T,0,Liver,500,train\nchr2,6,G,0,Liver,900,test\n"
    (tmp_path / "eqtl.csv").write_text(head + rows)
    task = VariantEffects(kind=KIND, table="x", preset="lrb/variant_effect_causal_eqtl")
    found = made(task, tmp_path / "eqtl.csv", genome)
    assert found.table["ref"].tolist() == ["A", "C"] and found.table["tss_distance"].tolist() == ["10", "900"]
    assert found.table["example"].tolist() == ["chr1:1:A:C", "chr2:6:C:G"]
    assert found.counts.set_index("item")["count"]["left out: not wanted"] == 1
    (tmp_path / "long.csv").write_text(head + "chr1,1,CA,1,Liver,10,test\nchr1,2,T,0,Liver,500,test\n")
    with pytest.raises(InputError, match="no REF says what it replaces"):
        made(task, tmp_path / "long.csv", genome)


def test_a_table_that_does_not_say_which_allele_is_ref_is_told_by_the_genome(tmp_path, genome):
    """Tables of DART-Eval: two alleles by number, under names of their own; what is not used is left out."""
    head = "chr_hg38\tpos_hg38\tallele1\tallele2\tlabel\tIsUsed\tin_peaks\n"
    rows = "chr1\t1\tA\tC\t1\tTrue\tTrue\nchr1\t2\tT\tC\t0\tTrue\tTrue\nchr2\t6\tC\tG\t0\tTrue\tFalse\nchr2\t6\tC\tA\t0\tFalse\tTrue\n"
    (tmp_path / "Afr.CaQTLS.tsv").write_text(head + rows)
    task = VariantEffects(kind=KIND, table="x", preset="dart_eval/african_caqtl")
    found = made(task, tmp_path / "Afr.CaQTLS.tsv", genome).table
    assert found["example"].tolist() == ["chr1:1:A:C", "chr1:2:C:T"]  # the genome begins with AC
    assert found["target"].tolist() == [1, 0] and (found["reason"] == "").all() and task.sign == "magnitude"
    head = "var.chrom\tvar.pos\tvar.allele1\tvar.allele2\tvar.label\tvar.isused\n"
    (tmp_path / "y.tsv").write_text(head + "chr1\t1\tC\tA\t1\tTrue\nchr1\t2\tC\tT\t-1\tTrue\nchr2\t6\tC\tG\t0\tTrue\n")
    found = made(
        VariantEffects(kind=KIND, table="x", preset="dart_eval/yoruban_dsqtl"), tmp_path / "y.tsv", genome
    ).table
    assert found["example"].tolist() == ["chr1:1:A:C", "chr1:2:C:T"] and found["target"].tolist() == [1, 0]
    with pytest.raises(ValueError, match="ref: either is for `labels`"):
        VariantEffects(kind=KIND, table="x", label="beta", direction="magnitude", ref="either")


def test_eqtls_of_dnalongbench_count_from_zero(tmp_path, genome):
    head = "gene_chrom\tgene_start\tgene_end\tregion_chrom\tregion_start\tregion_end\tgene_id\tgene_strand\tregion_id\ttarget\tsubset\tallele1\tallele2\n"
    rows = [
        ("chr1", 0, "positive", "test", "A", "C"),
        ("chr1", 1, "negative", "test", "C", "T"),
        ("chr2", 5, "negative", "train", "C", "G"),
    ]
    text = "".join(f"chr1\t100\t900\t{chrom}\t{start}\t{start + 1}\tG1\t+\tr\t{label}\t{part}\t{one}\t{other}\n"
                   for chrom, start, label, part, one, other in rows)  # fmt: skip
    (tmp_path / "e.tsv").write_text(head + text)
    found = made(VariantEffects(kind=KIND, table="x", preset="dnalongbench/eqtl"), tmp_path / "e.tsv", genome).table
    assert found["example"].tolist() == ["chr1:1:A:C", "chr1:2:C:T"] and found["target"].tolist() == [1, 0]
    assert found["group"].tolist() == ["G1", "G1"] and (found["reason"] == "").all()


def test_what_a_task_says_itself_goes_before_its_preset():
    task = VariantEffects(kind=KIND, vcf="x", preset="clinvar", sign="plus", columns={"frequency": "AF_EXAC"},
                          labels={"Uncertain_significance": 0})  # fmt: skip
    assert task.sign == "plus" and task.label == "CLNSIG"
    assert task.columns == {"consequence": "MC", "group": "GENEINFO", "frequency": "AF_EXAC"}
    assert task.labels["Uncertain_significance"] == 0 and task.labels["Pathogenic"] == 1
    with pytest.raises(ValueError, match="did you mean clinvar"):
        VariantEffects(kind=KIND, vcf="x", preset="clinvr")
    with pytest.raises(ValueError, match="clinvar is a vcf; give its file as `vcf`"):
        VariantEffects(kind=KIND, table="x", preset="clinvar")


@pytest.mark.parametrize("name", list(allele_sets()))
def test_every_preset_is_a_task(name):
    form = allele_sets()[name]["form"]
    task = VariantEffects(**{"kind": KIND, "preset": name, form: "x"})
    assert task.labels is not None and {0, 1} <= set(task.labels.values())


def test_columns_that_are_not_named_are_refused():
    given = {"kind": KIND, "table": "x", "label": "y", "labels": {"a": 1, "b": 0}}
    with pytest.raises(ValueError, match="only: 'split' is none of `columns`"):
        VariantEffects(**given, only={"split": ["test"]})
    with pytest.raises(ValueError, match=r"browser\.columns: 'grch38' is none of"):
        VariantEffects(**given, browser={"columns": {"chrom": "grch38", "pos": "p"}})


def test_a_unit_that_is_named_goes_before_contigs():
    table = pd.DataFrame(
        {"chrom": [f"e{i}" for i in range(20)], "start": 5, "unit": [f"chr{i % 9}" for i in range(20)]}
    )
    assert units_of(table).name == "unit" and units_of(table).count == 9
    assert units_of(table.drop(columns="unit")).name == "chrom"


def test_labels_are_scored_exon_by_exon():
    table = pd.DataFrame({"chrom": "c", "start": range(60), "ref": "A", "alt": "C", "exon": ["X1"] * 30 + ["X2"] * 30,
                          "target": [0, 1] * 30})  # fmt: skip
    rows = binary_rows(table, np.r_[table["target"][:30], 1 - table["target"][30:]].astype(float), draws=20)
    found = {
        row["subset"]: row["value"] for row in rows if row["metric"] == "auroc" and row["subset"].startswith("exon")
    }
    assert found == {"exon:X1": 1, "exon:X2": 0}


def test_directions_of_a_measured_effect():
    effects = np.linspace(-2, 1, 31)
    table = pd.DataFrame({"chrom": "c", "start": range(31), "ref": "A", "alt": "C", "target": effects})
    for direction, scores in (("loss", -effects), ("signed", effects), ("magnitude", np.abs(effects))):
        rows = measured_rows(table, scores, direction, draws=20)
        assert next(
            row["value"] for row in rows if row["metric"] == "spearman" and row["subset"] == "all"
        ) == pytest.approx(1)


def test_a_link_goes_where_an_allele_lies_in_the_browser():
    row = {"chrom": "LDLR", "start": 9, "grch38_chrom": "chr19", "grch38_pos": "11089000"}
    link = browser_links(row, {"assembly": "hg38", "columns": {"chrom": "grch38_chrom", "pos": "grch38_pos"}})
    assert link["UCSC"].endswith("db=hg38&position=chr19%3A11088950-11089049")
    assert link["igv"].endswith("genome=hg38&locus=chr19%3A11088950-11089049")
    link = browser_links(
        {"chrom": "chr17w", "start": 45704}, {"assembly": "hg38", "chrom": "chr17", "offset": 43_000_000}
    )
    assert link["UCSC"].endswith("position=chr17%3A43045655-43045754")
    assert browser_links(row, None) == {}
