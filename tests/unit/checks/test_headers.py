"""Columns of tables of samples: taken under any usual name, asked about, named."""

import re

import pytest
from glmflow.checks.headers import header_audit, known_columns, structure_note
from glmflow.errors import InputError
from glmflow.tasks.snp2gex.expression_layout import read_layout
from glmflow.tasks.variant_effects.effect_examples import from_table


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (["sample", "population", "family"], {"sample": "sample", "population": "population", "family": "family"}),
        (["Sample", "Population"], {"sample": "Sample", "population": "Population"}),
        (["#FID", "IID", "POP"], {"sample": "IID", "population": "POP", "family": "#FID"}),
        (["sample", "pop", "super_pop", "gender"], {"sample": "sample", "population": "pop", "sex": "gender"}),
        (["sample", "Super Population"], {"sample": "sample", "population": "Super Population"}),
        (
            ["Sample name", "Sex", "Biosample ID", "Population code", "Population name", "Superpopulation code"],
            {"sample": "Sample name", "population": "Population code", "sex": "Sex"},
        ),
        (["\ufeffSAMPLE_ID", "Batch"], {"sample": "\ufeffSAMPLE_ID", "batch": "Batch"}),
    ],
)
def test_usual_names_are_taken(header, taken):
    found = known_columns(header, required=("sample",))
    assert found.taken == taken
    renamed = [column for name, column in taken.items() if column != name]
    assert all(any(repr(column) in note for note in found.notes) for column in renamed)


@pytest.mark.parametrize(
    "column",
    [
        "Populaton",
        "populations",
        "population.x",
        "famly",
        "Family Nr",
        "superpopulations",
        "PopulationCode",
        "ancestrie",
        "1000G_population",
        "inferredAncestry",
        "ethnic origin",
        "Pop_Group",
        "twin_pair",
        "kinship_group",
        "ped_id",
    ],
)
def test_what_is_nearly_a_known_name_is_asked_about(column):
    with pytest.raises(InputError, match=r"may be meant for `(population|family)`"):
        known_columns(["sample", column])


def test_nothing_is_asked_where_the_column_is_there_and_every_unknown_one_is_named():
    found = known_columns(["sample", "population", "populations_old", "height", "x"])
    assert found.unknown == ["populations_old", "height", "x"]
    audit = header_audit(found, "people.tsv")
    assert audit.status == "WARN" and all(name in audit.sentence for name in ("populations_old", "height", "'x'"))
    assert header_audit(known_columns(["sample"])).status == "PASS"


def test_two_candidates_are_said():
    assert any("super_pop" in note for note in known_columns(["sample", "pop", "super_pop"]).notes)


def test_a_required_column_that_is_missing():
    with pytest.raises(InputError, match=r"t.tsv: no column `sample`: the header has 'a', 'b'"):
        known_columns(["a", "b"], required=("sample",), where="t.tsv")
    with pytest.raises(InputError, match="the same name"):
        known_columns(["Sample", "sample "])


def test_what_the_verdict_says_of_structure():
    assert structure_note(known_columns(["sample"])) == "no population known: the null does not account for structure"
    assert structure_note(known_columns(["sample", "Pop"])) == ""


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["gene_id", "Gene Length", "strand.", "NA00001"], None),
        (["#Gene-ID", "NA00001"], None),
        (["gene_id", "Gene_lenght", "NA00001"], "'Gene_lenght' may be meant for `gene_length`"),
        (["gene_id", "Strnad", "NA00001"], "'Strnad' may be meant for `strand`"),
        (["Gene_idd", "NA00001"], "'Gene_idd' may be meant for `gene_id`"),
        (["gene_id", "Liver", "Whole Blood", "strand1"], None),  # a sample's name may hold a number
    ],
)
def test_columns_of_a_matrix_that_are_nearly_known_are_asked_about(tmp_path, header, said):
    path = tmp_path / "matrix.tsv"
    path.write_text("\t".join(header) + "\n" + "\t".join(["ENSG1", *("2" for _ in header[1:])]) + "\n")
    if said is None:
        assert set(read_layout(path).people.values()) <= {"NA00001", "Liver", "Whole Blood", "strand1"}
        return
    with pytest.raises(InputError, match=re.escape(said)):
        read_layout(path)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("chrom pos ref alt y", None),
        ("Chromosome Position Reference_Allele Alternate_Allele y", None),
        ("#CHROM start REF ALT y", None),
        ("chrom pos ref atl y", None),  # three letters in another order are no near miss: the column is missing
        ("chrom position_hg38 ref alt y", "'position_hg38' may be meant for `pos`"),
        ("chromosme pos ref alt y", "'chromosme' may be meant for `chrom`"),
        ("chrom pos referense alt y", "'referense' may be meant for `ref`"),
    ],
)
def test_columns_of_a_table_of_alleles_go_through_the_same_rule(tmp_path, header, said):
    path = tmp_path / "alleles.tsv"
    path.write_text(header.replace(" ", "\t") + "\nchr1\t11\tA\tC\t0.5\n")
    if said is None and "atl" not in header:
        start = from_table(path, "y", None).table["start"].item()
        assert start == (11 if "start" in header else 10)
        return
    with pytest.raises(InputError, match=re.escape(said or "no column alt")):
        from_table(path, "y", None)


@pytest.mark.parametrize(
    "name",
    [
        "Superpopulation Code",
        "SUPER-POP",
        "super.population",
        "Population code",
        "pop",
        "#Pop",
        "Ancestry",
        "superpop",
        "Ethnic group",
        "pop_label",
    ],
)
def test_spellings_of_a_population_are_taken(name):
    assert structure_note(known_columns(["Sample name", name])) == ""
