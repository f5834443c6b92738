"""Contig lengths that had to be read off a whole file are not read a second time, unless the file has changed."""

import gzip
import json
import os

import pytest
from glmflow.errors import InputError
from glmflow.genome import reference, remembered_lengths
from glmflow.genome.reference import contig_lengths


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remembered_lengths, "LEAST", 0)
    return tmp_path


@pytest.fixture
def read(monkeypatch):
    """Every file that is read through."""
    files, through = [], reference._lengths_read_through
    monkeypatch.setattr(reference, "_lengths_read_through", lambda path: files.append(path.name) or through(path))
    return files


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()))


def test_a_gzip_genome_is_read_through_once_and_again_after_a_change(place, read):
    genome = place / "genome.fa.gz"
    write(genome, ">a\nACGT\n>b\nAC\n")
    for _ in range(3):
        assert contig_lengths(genome) == {"a": 4, "b": 2}
    assert read == ["genome.fa.gz"]
    write(genome, ">a\nACGTA\n")
    assert contig_lengths(genome) == {"a": 5} and len(read) == 2
    before = genome.stat()
    os.utime(genome, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert contig_lengths(genome) == {"a": 5} and len(read) == 3, "another time of change is another file"


def test_it_is_another_process_that_profits(place, read):
    genome = place / "genome.fa.gz"
    write(genome, ">a\nACGT\n")
    contig_lengths(genome)
    assert list(json.loads((place / ".snakemake/glmflow/contig_lengths.json").read_text())) == [str(genome)]
    (place / "sub").mkdir()
    (place / "link.fa.gz").symlink_to(genome)
    assert contig_lengths("link.fa.gz") == {"a": 4} and len(read) == 1, "a link is the file it leads to"


def test_a_file_with_an_index_is_read_by_it(place, read):
    (place / "genome.fa").write_text(">a\nACGT\n")
    (place / "genome.fa.fai").write_text("a\t4\t3\t4\t5\n")
    assert contig_lengths(place / "genome.fa") == {"a": 4}
    assert not read and not (place / ".snakemake").exists()


def test_what_is_gone_is_forgotten_and_a_damaged_note_is_none(place, read):
    for name in ("one", "two"):
        write(place / name, ">a\nACGT\n")
        contig_lengths(place / name)
    (place / "one").unlink()
    write(place / "three", ">a\nAC\n")
    contig_lengths(place / "three")
    notes = place / ".snakemake/glmflow/contig_lengths.json"
    assert {path.rpartition("/")[2] for path in json.loads(notes.read_text())} == {"two", "three"}
    notes.write_text("not json")
    assert contig_lengths(place / "two") == {"a": 4}


def test_a_folder_that_cannot_be_written_is_no_error(place, read):
    (place / ".snakemake").write_text("a file is in the way")
    write(place / "genome.fa.gz", ">a\nACGT\n")
    assert contig_lengths(place / "genome.fa.gz") == {"a": 4}


def test_a_damaged_genome_is_not_remembered(place):
    path = place / "genome.fa.gz"
    write(path, ">a\nACGT\n")
    path.write_bytes(path.read_bytes()[:-4])
    for _ in range(2):
        with pytest.raises(InputError):
            contig_lengths(path)
    assert not (place / ".snakemake").exists()


def test_small_files_are_simply_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "genome.fa.gz", ">a\nACGT\n")
    assert contig_lengths("genome.fa.gz") == {"a": 4} and not (tmp_path / ".snakemake").exists()
