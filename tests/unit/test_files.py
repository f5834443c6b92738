"""Tables keep what was written: names in digits stay names."""

import pandas as pd
from glmflow.files import read_named_rows, read_table, write_table
from running import ROOT


def test_names_in_digits_stay_text(tmp_path):
    """As of hs37d5, whose contigs are 1, 2 ... and 01 is another name than 1."""
    table = pd.DataFrame(
        {
            "chrom": ["20", "01"],
            "start": [0, 5],
            "gene_id": ["7157", "7158"],
            "gene_name": [None, "TP53"],
            "sample": ["1001", "1e3"],
            "value": [0.5, None],
        }
    )
    write_table(table, tmp_path / "t.tsv")
    read = read_table(tmp_path / "t.tsv")
    for name in ("chrom", "gene_id", "sample"):
        assert read[name].tolist() == table[name].tolist()
    assert read["gene_name"].isna().tolist() == [True, False]
    assert read["start"].tolist() == [0, 5] and read["start"].dtype.kind == "i"
    assert read["value"].dtype.kind == "f"


def test_a_sample_or_cell_may_be_called_na(tmp_path):
    """What people write for what is unknown stays missing in families and numbers, and in an empty field."""
    (tmp_path / "t.tsv").write_text("cell\tsample\tfamily\tvalue\nNA\t001\tNA\tNA\nnan\tNone\tF1\t2\n\t1\t\t\n")
    read = read_table(tmp_path / "t.tsv")
    assert read["cell"].tolist()[:2] == ["NA", "nan"] and read["cell"].isna().tolist() == [False, False, True]
    assert read["sample"].tolist() == ["001", "None", "1"]
    assert read["family"].isna().tolist() == [True, False, True]
    assert read["value"].isna().tolist() == [True, False, True] and read["value"].dtype.kind == "f"
    (tmp_path / "g.tsv").write_text("whatever\tNA\n007\t1.5\nNA\tNA\n")
    rows = read_named_rows(tmp_path / "g.tsv")
    assert rows["whatever"].tolist() == ["007", "NA"] and rows["NA"].isna().tolist() == [False, True]
    with (tmp_path / "t.tsv").open() as handle:
        assert read_table(handle).equals(read)


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_table(pd.DataFrame(columns=["chrom", "start"]), tmp_path / "t.tsv")
    assert read_table(tmp_path / "t.tsv").columns.tolist() == ["chrom", "start"]


def test_rules_read_tables_in_this_way_alone():
    sources = list((ROOT / "workflow/scripts").glob("*.py"))
    assert len(sources) > 20
    assert [path.name for path in sources if "read_csv" in path.read_text()] == []
