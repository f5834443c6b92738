"""Published sets and protocols as data."""

import pytest
from glmflow.config.benchmark_sets import (
    benchmark_set,
    protocol,
    protocol_names,
    published_numbers,
    read_settings,
    set_names,
)
from glmflow.errors import InputError


def test_every_set_of_the_collections_is_there():
    count = {
        name: sum(known.startswith(f"{name}/") for known in set_names()) for name in ("genomic_benchmarks", "nt", "gue")
    }
    assert count == {"genomic_benchmarks": 9, "nt": 18, "gue": 28}
    assert {"nt_revised/H3K27ac", "lrb/regulatory_element_promoter", "bend/gene_finding"} <= set(set_names())
    assert sum(known.startswith("nt_revised/") for known in set_names()) == 18


def test_published_numbers_stand_beside_their_protocol():
    found = published_numbers("genomic_benchmarks/human_nontata_promoters")
    values = {(row["model"], row["protocol"]): row["value"] for row in found}
    # The same model on the same set: tasks 5.1.
    assert [values["HyenaDNA", name] for name in ("caduceus", "generator", "hyenadna")] == [0.944, 0.894, 0.966]
    assert all(row["source"] and row["metric"] == "accuracy" for row in found)
    for name in set_names():
        for row in published_numbers(name):
            assert row["protocol"] in protocol_names() and 0 < row["value"] < 1


def test_classes_are_sorted_and_integers_have_the_names_that_lengths_told():
    found = benchmark_set("genomic_benchmarks/human_ensembl_regulatory")
    assert found["classes"] == sorted(found["classes"]) == ["enhancer", "ocr", "promoter"]
    assert found["integer_labels"] == {0: "promoter", 1: "enhancer", 2: "ocr"}


def test_protocols_say_what_they_fix():
    assert protocol("dnabert2_gue")["learning_rate"] == [3e-5] and protocol("strict")["seeds"] == 3
    assert all(protocol(name)["words"] and protocol(name)["source"] for name in protocol_names())


def test_unknown_names_are_one_line():
    with pytest.raises(InputError, match="Did you mean nt_revised/H3K27ac"):
        benchmark_set("nt_revised/H3K27Ac")
    with pytest.raises(InputError, match=r"no protocol .x"):
        protocol("x")


@pytest.mark.real
def test_a_set_of_the_revised_nucleotide_transformer_is_read_out_of_the_whole_table(test_data):
    from glmflow.labelled.sources import read_source

    table = test_data / "sequences/nt_revised_sample/sample.parquet"
    rows = 0
    for name in [name for name in set_names() if name.startswith("nt_revised/")]:
        found = read_source({"table": table}, **read_settings(name))
        lengths = (found.rows["end"] - found.rows["start"]).to_numpy()
        assert (lengths == found.rows["sequence"].str.len()).all()
        rows += len(found.rows)
    assert rows == 1500
