"""What the table of a corpus says, against sequences that were made so, and what the report makes of it."""

import numpy as np
import pandas as pd
import pytest
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_overview import overview
from glmflow.corpus.corpus_store import Corpus
from glmflow.report.pages.language import SHOWN, corpus_rows


def test_what_a_corpus_holds(tmp_path):
    rng = np.random.default_rng(1)
    plain = "".join(rng.choice(list("ACGT"), 6400))
    repeats, rich = "AT" * 3200, "".join(rng.choice(list("GC"), 500)).lower()
    for name, sequence in (("plain", plain), ("repeats", repeats), ("rich", f"{rich}NN")):
        (tmp_path / f"{name}.fa").write_text(f">{name}\n{sequence}\n")  # of one file they would be one assembly
    split = {"by": "contig", "validation": 0, "test": 0}
    build(
        {"sources": [{"path": f"{tmp_path}/*.fa", "division": "d"}], "min_length": 100, "split": split},
        tmp_path / "c",
    )
    found = overview(Corpus(tmp_path / "c")).set_index("species")
    table = Corpus(tmp_path / "c").table.set_index("sequence")
    named = {name: found.loc[f"cluster {table.loc[name, 'cluster']}"] for name in table.index}
    assert named["repeats"]["low_complexity"] == 1 and named["plain"]["low_complexity"] < 0.1
    assert named["rich"]["gc"] == pytest.approx(1, abs=0.01) and named["repeats"]["gc"] == 0
    assert named["rich"]["lower_case"] == pytest.approx(500 / 502) and named["rich"]["unknown"] == pytest.approx(
        2 / 502
    )
    assert found["bases"].tolist() == sorted(found["bases"], reverse=True) and found["shared"].isna().all()


def test_a_long_table_is_cut_and_says_so():
    row = {"split": "train", "division": "d", "species": "s", "sequences": 2, "clusters": 1, "bases": 10, "shortest": 4}
    row |= {"longest": 6, "gc": 0.5, "lower_case": 0.0, "unknown": 0.0, "low_complexity": 0.1, "shared": np.nan}
    shown = corpus_rows(pd.DataFrame([row] * (SHOWN + 3)))
    assert len(shown) == SHOWN + 1 and shown[-1]["species"] == "3 more" and shown[-1]["bases"] == "30"
    assert (
        shown[0]["lengths"] == "4 to 6" and shown[0]["shared with training"] == "" and corpus_rows(pd.DataFrame()) == []
    )
