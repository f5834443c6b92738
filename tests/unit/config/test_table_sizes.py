"""Rows of tables are counted in every format that a task reads, before any job."""

import gzip
import json

import pandas as pd
import pytest
from glmflow.config.table_sizes import rows_of

TABLE = pd.DataFrame({"question": ["a", "b", "c"], "answer": ["x", "y", "z"]})


@pytest.mark.parametrize("name", ["t.tsv", "t.csv", "t.tsv.gz", "t.jsonl", "t.parquet"])
def test_rows_are_those_of_the_table(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".parquet"):
        TABLE.to_parquet(path)
    elif name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in TABLE.to_dict("records")))
    else:
        text = TABLE.to_csv(index=False, sep="\t" if "tsv" in name else ",").encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert rows_of(str(path)) == len(TABLE)


def test_a_table_that_is_not_there_has_no_number(tmp_path):
    assert rows_of(str(tmp_path / "none.tsv")) is None
