"""Tables keep what was written: names in digits stay names."""

import pandas as pd
from glmflow.files import read_table, write_table
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


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_table(pd.DataFrame(columns=["chrom", "start"]), tmp_path / "t.tsv")
    assert read_table(tmp_path / "t.tsv").columns.tolist() == ["chrom", "start"]


def test_rules_read_tables_in_this_way_alone():
    sources = list((ROOT / "workflow/scripts").glob("*.py"))
    assert len(sources) > 30
    assert [path.name for path in sources if "read_csv" in path.read_text()] == []
