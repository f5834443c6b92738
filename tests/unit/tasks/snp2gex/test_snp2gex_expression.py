"""Matrices of expression as they are found, and what is made of them."""

import gzip

import numpy as np
import pandas as pd
import pytest
from glmflow.errors import InputError
from glmflow.tasks.snp2gex.expression_matrix import match_genes, read_expression, without_version
from glmflow.tasks.snp2gex.preprocessing import preprocess

VALUES = [[1.5, 2.0], [0.0, 3.25]]
GENES = ["ENSG00000000003.14", "ENSG00000000005.6"]
AS_IT_IS = {
    "tpm": False,
    "max_zero_fraction": 1.0,
    "log": False,
    "pseudo_count": 0.01,
    "hidden_factors": 0,
    "fitted_on": "train",
    "standardise": False,
}


def lines(before, header, about):
    """A table with columns about the genes before those of the samples."""
    rows = [[*about(number, gene), *map(str, values)] for number, (gene, values) in enumerate(zip(GENES, VALUES))]
    return "".join([before, *("\t".join(map(str, row)) + "\n" for row in [header, *rows])])


FORMATS = {
    "fastqtl.bed": lines("", ["#Chr", "start", "end", "TargetID", "A", "B"], lambda n, gene: ["chr1", n, n + 1, gene]),
    "qtltools.bed": lines(
        "",
        ["#chr", "start", "end", "pid", "gid", "strand", "A", "B"],
        lambda n, gene: ["1", n, n + 1, f"p{n}", gene, "+"],
    ),
    "gtex.gct": lines("#1.2\n2\t2\n", ["Name", "Description", "A", "B"], lambda n, gene: [gene, f"GENE{n}"]),
    "geuvadis.txt": lines(
        "", ["TargetID", "Gene_Symbol", "Chr", "Coord", "A", "B"], lambda n, gene: [gene, gene, "1", 100]
    ),
    "plain.tsv": lines("", ["gene_id", "A", "B"], lambda n, gene: [gene]),
    "of_r.tsv": lines("", ["A", "B"], lambda n, gene: [gene]),
    "of_pandas.tsv": lines("", ["", "A", "B"], lambda n, gene: [gene]),
    "commas.csv": lines("", ["gene", "A", "B"], lambda n, gene: [gene]).replace("\t", ","),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_told_by_its_columns(tmp_path, name, packed):
    path = tmp_path / name
    path.write_bytes(gzip.compress(FORMATS[name].encode()) if packed else FORMATS[name].encode())
    values = read_expression(path).values
    assert values.index.tolist() == GENES and values.columns.tolist() == ["A", "B"]
    np.testing.assert_array_equal(values.to_numpy(), VALUES)


def test_rows_that_come_twice_count_once_and_differing_ones_are_refused(tmp_path):
    path = tmp_path / "e.tsv"
    path.write_text("gene_id\tA\tB\ng\t1\t2\ng\t1\t2\nh\t1\t\n")
    found = read_expression(path)
    assert found.values.index.tolist() == ["g", "h"] and found.notes["rows that come twice"] == 1
    assert found.notes["values that are missing"] == 1
    path.write_text("gene_id\tA\tB\ng\t1\t2\ng\t1\t3\n")
    with pytest.raises(InputError, match=r"1 genes come twice with different values: g"):
        read_expression(path)


def test_infinite_values_are_missing_and_counted(tmp_path):
    path = tmp_path / "e.tsv"
    path.write_text("gene_id\tA\tB\ng\tinf\t2\nh\tNA\t-inf\n")
    found = read_expression(path)
    assert found.values.isna().to_numpy().tolist() == [[True, False], [True, True]]
    assert found.notes["values that are infinite"] == 2 and found.notes["values that are missing"] == 1


@pytest.mark.parametrize(
    "text, message",
    [
        ("A\tB\n1\t2\n", "no column of gene ids"),
        ("gene_id\tstrand\ng\t+\n", "no column of a sample"),
        ("gene_id\tA\tcomment\ng\t1\tgood\n", "column 'comment' holds 'good', which is no number"),
        ("gene_id\tA\tA\ng\t1\t2\n", "samples come twice: A"),
        ("", "an empty table of expression"),
    ],
)
def test_what_is_no_matrix_is_refused(tmp_path, text, message):
    (tmp_path / "e.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_expression(tmp_path / "e.tsv")


def test_versions_of_gene_ids_match():
    assert without_version("ENSG00000012048.23") == "ENSG00000012048"
    assert without_version("ENSG00000182378.14_PAR_Y") == "ENSG00000182378_PAR_Y"
    assert without_version("AC004.1") == "AC004.1"
    matched = match_genes(
        ["ENSG01.2", "ENSG02", "ENSG03.1", "ENSG03.2", "ENSG04.1", "ENSG04.2"],
        ["ENSG01.7", "ENSG02.1", "ENSG03.9", "ENSG04.2", "ENSG05"],
    )
    assert matched == {"ENSG01.7": "ENSG01.2", "ENSG02.1": "ENSG02", "ENSG04.2": "ENSG04.2"}


def table(values):
    return pd.DataFrame(values, index=[f"g{n}" for n in range(len(values))], columns=list("ABCDEF")[: len(values[0])])


def test_steps_of_preprocessing_one_by_one():
    raw = table([[1.0, 3.0, 6.0, 2.0], [3.0, 1.0, 2.0, 6.0]])
    training = np.array([True, True, True, False])
    done = preprocess(raw, training, AS_IT_IS).values
    np.testing.assert_allclose(done, raw)
    tpm = preprocess(raw, training, AS_IT_IS | {"tpm": True}).values
    np.testing.assert_allclose(tpm, [[250_000, 750_000, 750_000, 250_000], [750_000, 250_000, 250_000, 750_000]])
    logs = preprocess(raw, training, AS_IT_IS | {"log": True}).values
    np.testing.assert_allclose(logs, np.log(raw + 0.01))


def test_scaling_is_fitted_on_training_people_alone():
    rng = np.random.default_rng(0)
    raw, training = table(rng.normal(5, 3, (4, 6))), np.array([1, 1, 1, 1, 0, 0], bool)
    first = preprocess(raw, training, AS_IT_IS | {"standardise": True}).values
    np.testing.assert_allclose(first.iloc[:, :4].mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(first.iloc[:, :4].std(axis=1, ddof=0), 1)
    moved = raw.copy()
    moved.iloc[:, 4:] += 100
    second = preprocess(moved, training, AS_IT_IS | {"standardise": True}).values
    np.testing.assert_allclose(second.iloc[:, :4], first.iloc[:, :4])


@pytest.mark.parametrize("standardise", [False, True])
def test_hidden_factors_are_those_of_a_principal_component_analysis_of_training_people(standardise):
    from sklearn.decomposition import PCA

    rng = np.random.default_rng(1)
    batch = rng.normal(size=40)
    values = pd.DataFrame(
        rng.normal(size=(30, 1)) * batch + 0.3 * rng.normal(size=(30, 40)),
        index=[f"g{n}" for n in range(30)],
        columns=[f"p{n}" for n in range(40)],
    )
    training = np.arange(40) < 25
    settings = AS_IT_IS | {"hidden_factors": 2, "standardise": standardise}
    made = preprocess(values, training, settings)
    # Everyone without the components of training samples, by scikit-learn.
    x = values.to_numpy().T
    mean, deviation = x[training].mean(axis=0), x[training].std(axis=0)
    z = (x - mean) / deviation
    pca = PCA(2).fit(z[training])
    left = z - pca.inverse_transform(pca.transform(z)) + pca.mean_
    if standardise:
        left = (left - left[training].mean(axis=0)) / left[training].std(axis=0)
    else:
        left = left * deviation + mean
    np.testing.assert_allclose(made.values.to_numpy().T, left, atol=1e-9)
    assert abs(np.corrcoef(made.factors["factor1"], batch)[0, 1]) > 0.98
    assert made.factors.loc[made.factors["fitted"], "sample"].tolist() == [f"p{n}" for n in range(25)]
    # What test samples have does not touch training samples.
    other = values.copy()
    other.iloc[:, 25:] = rng.normal(size=(30, 15))
    np.testing.assert_allclose(preprocess(other, training, settings).values.iloc[:, :25], made.values.iloc[:, :25])


def test_genes_left_out_are_counted():
    nan = np.nan
    raw = table([[0.0, 0, 0, 0], [0, 0, 0, 5], [0, 0, 1, 5], [nan, nan, nan, nan], [nan, 1, 2, 3], [1, 2, 3, 4]])
    made = preprocess(raw, np.array([True, True, True, False]), AS_IT_IS | {"max_zero_fraction": 0.5})
    assert made.values.index.tolist() == ["g2", "g4", "g5"]
    assert made.left_out == {
        "genes without a value": ["g3"],
        "genes that are 0 in everyone": ["g0"],
        "genes that are 0 in too many samples": ["g1"],
    }
    assert np.isnan(made.values.loc["g4", "A"])


def test_logarithms_of_logarithms_and_too_many_factors_are_refused():
    raw = table([[-1.0, 2, 3, 4], [1, 2, 3, 5]])
    training = np.array([True, True, True, False])
    with pytest.raises(InputError, match=r"preprocessing.log: 1 values below 0"):
        preprocess(raw, training, AS_IT_IS | {"log": True})
    with pytest.raises(InputError, match="3 hidden factors cannot be fitted on 3 samples"):
        preprocess(raw, training, AS_IT_IS | {"hidden_factors": 3})


def test_a_matrix_of_many_people_is_read_without_a_warning(tmp_path, recwarn):
    """pandas warns of frames that are built a column at a time, from about a hundred columns on."""
    values = np.arange(300.0).reshape(2, 150)
    rows = [["gene_id", *(f"P{n}" for n in range(150))], *([f"g{n}", *map(str, row)] for n, row in enumerate(values))]
    (tmp_path / "many.tsv").write_text("".join("\t".join(row) + "\n" for row in [*rows, rows[-1]]))
    found = read_expression(tmp_path / "many.tsv")
    assert found.values.to_numpy().tolist() == values.tolist() and found.notes["rows that come twice"] == 1
    assert not recwarn.list
