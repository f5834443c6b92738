"""Records of FASTA files, and what each reader makes of the same odd files."""

import gzip

import pytest
from glmflow.corpus.sequence_records import read_records
from glmflow.errors import InputError
from glmflow.fasta_records import fasta_records
from glmflow.models.model_commands import read_fasta
from glmflow.screening.hazards import records


def test_names_titles_lines_and_letters(tmp_path):
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(b">one two three\nACgt\r\n\n  NN \n>\nMK*\n>empty\n"))
    assert list(fasta_records(path)) == [
        ("one", "one two three", 1, "ACgtNN"),
        ("", "", 5, "MK*"),
        ("empty", "empty", 7, ""),
    ]


@pytest.mark.parametrize(
    "reader", [lambda path: list(read_records(path)), lambda path: list(records(path)), read_fasta]
)
def test_what_begins_otherwise_is_refused_with_its_line(tmp_path, reader):
    (tmp_path / "a.fa").write_text("\nACGT\n>late\nACGT\n")
    with pytest.raises(InputError, match=r"not FASTA: it does not begin with '>'") as caught:
        reader(tmp_path / "a.fa")
    assert str(caught.value).startswith(f"{tmp_path / 'a.fa'}:2")


def test_nameless_and_empty_files(tmp_path):
    (tmp_path / "a.fa").write_text(">\nACGT\n")
    assert list(records(tmp_path / "a.fa")) == [("record at line 1", "ACGT")]
    with pytest.raises(InputError, match="without a name"):
        read_fasta(tmp_path / "a.fa")
    (tmp_path / "a.fa").write_text("")
    assert list(records(tmp_path / "a.fa")) == []
    with pytest.raises(InputError, match="no sequence in it"):
        read_fasta(tmp_path / "a.fa")
    with pytest.raises(InputError, match="no sequence in the FASTA file"):
        list(read_records(tmp_path / "a.fa"))


def test_a_strange_letter_is_named_with_its_line(tmp_path):
    (tmp_path / "a.fa").write_text(">p\nACGT\nACJT\n")
    with pytest.raises(InputError, match="sequence p holds 'J'") as caught:
        read_fasta(tmp_path / "a.fa")
    assert f"{tmp_path / 'a.fa'}:3" in str(caught.value)
