"""Genomes of RefSeq from a server that has its layout: what is chosen, what is said first, sums, and going on."""

import gzip
import hashlib

import numpy as np
import pandas as pd
import pytest
from glmflow.cli import main
from glmflow.errors import InputError
from glmflow.fetching.refseq import Choice, chosen, read_summary
from web_server import serving

HEAD = [
    "assembly_accession",
    "refseq_category",
    "taxid",
    "species_taxid",
    "organism_name",
    "version_status",
    "assembly_level",
]
HEAD += ["seq_rel_date", "ftp_path", "excluded_from_refseq", "genome_size"]
ROWS = [
    (
        "GCF_1.1",
        "reference genome",
        "11",
        "1",
        "Escherichia coli K-12",
        "latest",
        "Complete Genome",
        "2013",
        "na",
        4_600_000,
    ),
    ("GCF_2.1", "na", "12", "1", "Escherichia coli DH1", "latest", "Complete Genome", "2020", "na", 4_600_000),
    ("GCF_3.1", "reference genome", "21", "2", "Helicobacter pylori", "latest", "Contig", "2014", "na", 1_600_000),
    ("GCF_4.1", "reference genome", "31", "3", "Bacillus x", "replaced", "Contig", "2014", "na", 1_000_000),
    ("GCF_5.1", "reference genome", "41", "4", "Bacillus y", "latest", "Contig", "2014", "contaminated", 1_000_000),
    ("GCF_6.1", "na", "51", "5", "Vibrio z", "latest", "Contig", "2014", "na", "na"),
]


def listed(address):
    lines = ["##  See README", "#" + "\t".join(HEAD)]
    for row in ROWS:
        *first, excluded, size = row
        lines.append("\t".join(map(str, [*first, f"{address}/all/{row[0]}_asm", excluded, size])))
    return "\n".join(lines) + "\n"


@pytest.fixture
def server():
    rng = np.random.default_rng(1)
    files = {}
    for row in ROWS:
        name, sums = f"{row[0]}_asm", []
        for ending in ("genomic.gbff.gz", "genomic.fna.gz"):
            content = gzip.compress(rng.bytes(30_000))
            files[f"/all/{name}/{name}_{ending}"] = content
            sums.append(f"{hashlib.md5(content).hexdigest()}  ./{name}_{ending}")
        files[f"/all/{name}/md5checksums.txt"] = "\n".join(sums).encode()
    viral = {f"viral.{n}.1.genomic.fna.gz": gzip.compress(rng.bytes(1000 * n)) for n in (1, 2)}
    other = {"viral.1.protein.faa.gz": b"x", "plasmid.1.1.genomic.fna.gz": b"y"}
    installed = "".join(f"{hashlib.md5(body).hexdigest()}\t{name}\n" for name, body in (viral | other).items())
    files |= {f"/release/viral/{name}": body for name, body in viral.items()}
    files |= {"/release/RELEASE_NUMBER": b"999\n"}
    files |= {"/release/release-catalog/release999.files.installed": installed.encode()}
    with serving(files) as server:
        server.files["/refseq/bacteria/assembly_summary.txt"] = listed(server.address).encode()
        server.kind = "text/plain"
        yield server


def run(server, output, *more, group="bacteria"):
    return main(["refseq", "--group", group, "--address", f"{server.address}/refseq", "--output", str(output), *more])


def test_one_reference_genome_a_species_and_what_it_takes(server, tmp_path, capsys):
    assert run(server, tmp_path, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "2 assemblies of 2 species: 6,200,000 bases, about 0.00372 GB" in said
    assert not list(tmp_path.glob("*.gz"))


def test_other_choices(server, tmp_path):
    (tmp_path / "list.txt").write_text(listed("http://x"))
    table = read_summary(tmp_path / "list.txt")

    def names(*choice):
        return chosen(table, Choice(*choice))["assembly_accession"].tolist()

    assert names((), "", "", 1) == ["GCF_1.1", "GCF_3.1", "GCF_6.1"]
    assert names((), "", "", 0) == ["GCF_1.1", "GCF_2.1", "GCF_3.1", "GCF_6.1"]
    assert names(("escherichia", "vibrio"), "", "", 0, 2) == ["GCF_1.1", "GCF_2.1"]
    assert names((), "na", "Complete Genome", 1) == ["GCF_2.1"]
    with pytest.raises(InputError, match="no assembly is of this kind"):
        names(("Homo",))
    assert table["genome_size"].tolist()[-1] == 0


def test_files_have_their_sums_and_what_is_there_is_not_fetched_again(server, tmp_path, capsys):
    assert run(server, tmp_path) == 0
    assert sorted(path.name for path in tmp_path.glob("*.gz")) == [
        "GCF_1.1_asm_genomic.gbff.gz",
        "GCF_3.1_asm_genomic.gbff.gz",
    ]
    table = pd.read_csv(tmp_path / "assemblies.tsv", sep="\t", dtype=str)
    assert table["taxid"].tolist() == ["11", "21"] and table["file"].tolist()[0] == "GCF_1.1_asm_genomic.gbff.gz"
    before = [path for path, _ in server.asked]
    assert run(server, tmp_path) == 0
    assert [path for path, _ in server.asked][len(before) :] == ["/refseq/bacteria/assembly_summary.txt"]
    (tmp_path / "GCF_1.1_asm_genomic.gbff.gz").unlink()
    server.files["/all/GCF_1.1_asm/GCF_1.1_asm_genomic.gbff.gz"] = b"another"
    assert run(server, tmp_path) == 1 and "another MD5" in capsys.readouterr().err
    assert not (tmp_path / "GCF_1.1_asm_genomic.gbff.gz").exists()


def test_a_cut_connection_is_gone_on_with(server, tmp_path, monkeypatch):
    monkeypatch.setattr("glmflow.fetching.refseq_command.time.sleep", lambda seconds: None)
    server.cut = [None, None, None, 12_000]
    assert run(server, tmp_path, "--format", "fasta", "--organism", "Escherichia", "Helicobacter") == 0
    path = "/all/GCF_1.1_asm/GCF_1.1_asm_genomic.fna.gz"
    asked = [part for name, part in server.asked if name == path]
    assert asked == [None, "bytes=12000-"]
    assert (tmp_path / path.rpartition("/")[2]).read_bytes() == server.files[path]


def test_a_division_of_the_release(server, tmp_path, capsys):
    asked = ["refseq", "--division", "viral", "--format", "fasta", "--address", f"{server.address}/release"]
    assert main([*asked, "--output", str(tmp_path), "--dry-run"]) == 0
    size = sum(len(body) for name, body in server.files.items() if name.startswith("/release/viral/"))
    assert f"2 files, {size / 1e9:.3g} GB" in capsys.readouterr().out and not list(tmp_path.glob("*.gz"))
    assert main([*asked, "--output", str(tmp_path)]) == 0
    for name in ("viral.1.1.genomic.fna.gz", "viral.2.1.genomic.fna.gz"):
        assert (tmp_path / name).read_bytes() == server.files[f"/release/viral/{name}"]
    assert main([*asked[:2], "virus", *asked[3:], "--output", str(tmp_path)]) == 1
    assert "no files of division virus" in capsys.readouterr().err


def test_what_is_no_list_is_one_line(tmp_path, capsys):
    (tmp_path / "list.txt").write_text("<html>\n")
    assert main(["refseq", "--summary", str(tmp_path / "list.txt"), "--output", str(tmp_path)]) == 1
    assert "no list of assemblies" in capsys.readouterr().err
