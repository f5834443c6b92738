"""Data sets: space first, checksums listed or written down at the first download, and held to ever after."""

import hashlib
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from glmflow.config import ConfigurationError
from glmflow.config.public_sets import PublicSet, read_public_sets, wanted_files
from glmflow.errors import InputError
from glmflow.fetching import downloads, fetch, public_data
from running import ROOT
from web_server import serving

GENOME, GENES = os.urandom(200_000), b"chr1\tx\tgene\n" * 100


def packed(names, form):
    """An archive with files of these names."""
    target = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(target, "w") as file:
            for name in names:
                file.writestr(name, name)
    else:
        with tarfile.open(fileobj=target, mode="w:gz") as file:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(name)
                file.addfile(info, io.BytesIO(name.encode()))
    return target.getvalue()


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serving({"/genome.fa.gz": GENOME, "/chr1.vcf": b"1", "/chr2.vcf": b"22"}) as server:
        yield server


def sets(server, **genome):
    listed = {"address": f"{server.address}/genome.fa.gz", **genome}
    several = {"address": f"{server.address}/{{each}}.vcf", "name": "calls/{each}.vcf", "each": ["chr1", "chr2"]}
    one = {"about": "a set", "licence": "free", "files": [listed, several]}
    return {"small": PublicSet.model_validate(one)}


def get(server, terminal=None, **genome):
    return fetch(wanted_files(["small"], sets(server, **genome)), terminal=terminal, wait=lambda seconds: None)


def test_files_lie_below_their_set_and_their_sums_are_written_down(server, tmp_path):
    terminal = io.StringIO()
    assert len(get(server, terminal)) == 3
    assert Path("resources/small/genome.fa.gz").read_bytes() == GENOME
    assert Path("resources/small/calls/chr2.vcf").read_bytes() == b"22"
    lines = [line.split("\t") for line in Path("resources/checksums.tsv").read_text().splitlines()]
    assert lines[0] == [*public_data.COLUMNS]
    sums = {path: total for path, total, *_ in lines[1:]}
    assert sums["resources/small/genome.fa.gz"] == hashlib.sha256(GENOME).hexdigest() and len(sums) == 3
    assert "[1/3] resources/small/genome.fa.gz" in terminal.getvalue() and "not verified" in terminal.getvalue()
    assert not list(Path("resources").rglob("*.part*"))


def test_what_is_there_is_not_fetched_again(server):
    get(server)
    asked = len(server.asked)
    assert get(server) == [] and len(server.asked) == asked
    Path("resources/small/calls/chr1.vcf").unlink()
    assert get(server) == [Path("resources/small/calls/chr1.vcf")] and len(server.asked) == asked + 1


@pytest.mark.parametrize("sum_", ["sha256", "md5"])
def test_a_listed_checksum_has_to_be_the_file_s(server, sum_):
    right = hashlib.new(sum_, GENOME).hexdigest()
    get(server, **{sum_: right})
    shutil.rmtree("resources")
    server.files["/genome.fa.gz"] = GENOME[:-1] + b"?"
    with pytest.raises(
        InputError, match=f"another {'SHA-256' if sum_ == 'sha256' else 'MD5'} .* than listed \\({right}"
    ):
        get(server, **{sum_: right})
    assert not Path("resources/small/genome.fa.gz").exists() and not list(Path("resources").rglob("*.part"))


@pytest.mark.parametrize("sum_", ["sha256", "md5"])
def test_a_checksum_that_is_listed_later_is_asked_of_what_is_there(server, sum_):
    right = hashlib.new(sum_, GENOME).hexdigest()
    get(server)
    with pytest.raises(InputError, match=r"resources/small/genome.fa.gz: another .* than listed"):
        get(server, **{sum_: "0" * len(right)})
    assert Path("resources/small/genome.fa.gz").read_bytes() == GENOME
    asked = len(server.asked)
    assert get(server, **{sum_: right}) == [] and len(server.asked) == asked
    record = Path("resources/checksums.tsv")
    assert f"\t{right}\n" in record.read_text()
    rows = [line.rsplit("\t", 1)[0] for line in record.read_text().splitlines()]
    record.write_text("\n".join(rows) + "\n")  # as an earlier version wrote it
    assert get(server, **{sum_: right}) == [] and f"\t{right}\n" in record.read_text()


def test_a_file_that_the_publisher_exchanges_later_is_refused(server):
    get(server)
    Path("resources/small/genome.fa.gz").unlink()
    server.files["/genome.fa.gz"], server.version = GENES, '"two"'
    with pytest.raises(InputError, match=r"not what was fetched on \d{4}-\d\d-\d\d: another SHA-256 .*checksums.tsv"):
        get(server)
    assert not Path("resources/small/genome.fa.gz").exists()
    record = Path("resources/checksums.tsv")
    record.write_text("".join(line for line in record.read_text().splitlines(True) if "genome.fa.gz" not in line))
    get(server)
    assert Path("resources/small/genome.fa.gz").read_bytes() == GENES


def test_a_file_that_was_changed_here_is_found(server):
    get(server)
    Path("resources/small/genome.fa.gz").write_bytes(GENES)
    with pytest.raises(InputError, match=r"resources/small/genome.fa.gz: not what was fetched on"):
        get(server)
    assert Path("resources/small/genome.fa.gz").read_bytes() == GENES, "what a user has is not deleted"


def test_a_file_that_was_put_there_by_hand_is_taken_and_held_to(server):
    path = Path("resources/small/genome.fa.gz")
    path.parent.mkdir(parents=True)
    path.write_bytes(GENOME)
    assert path not in get(server)
    assert "by hand" in Path("resources/checksums.tsv").read_text()


def test_a_record_survives_what_comes_later(server):
    """The files that came before one that fails are not fetched again."""
    server.files.pop("/chr2.vcf")
    with pytest.raises(InputError, match="404"):
        get(server)
    server.files["/chr2.vcf"] = b"22"
    assert get(server) == [Path("resources/small/calls/chr2.vcf")]


def test_space_is_asked_for_before_the_first_byte(server, monkeypatch):
    free = SimpleNamespace(free=downloads.RESERVE + 5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(InputError, match=r"no space: 0.0 GB are missing|no space"):
        get(server, megabytes=6)
    assert server.asked == []
    free.free += 2_000_000
    assert len(get(server, megabytes=6)) == 3


@pytest.mark.parametrize("form", ["tar", "zip"])
def test_archives_are_unpacked_without_their_outer_folder(server, form):
    server.files["/genome.fa.gz"] = packed(["outer/README", "outer/inner/a.txt", "outer/.hidden"], form)
    get(server, unpack=True, name="repository")
    folder = Path("resources/small/repository")
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        ".hidden",
        "README",
        "inner/a.txt",
    ]
    assert get(server, unpack=True, name="repository") == []


def test_an_archive_that_leads_outside_writes_nothing_there(server):
    server.files["/genome.fa.gz"] = packed(["../../../evil.txt", "a.txt"], "tar")
    with pytest.raises(InputError, match="no archive that can be unpacked"):
        get(server, unpack=True, name="repository")
    assert not list(Path.cwd().rglob("evil.txt")) and not Path("resources/small/repository").exists()


def test_what_is_no_archive_is_one_line(server):
    with pytest.raises(InputError, match="no archive that can be unpacked"):
        get(server, unpack=True, name="repository")


def test_an_unknown_set_is_one_line_with_the_close_one():
    with pytest.raises(ConfigurationError, match=r"'geuvades' is no data set .*did you mean 'geuvadis'"):
        wanted_files(["geuvades"])


BAD = {
    "no http": {"address": "ftp://x/y"},
    "a path that leads outside": {"address": "http://x/y", "name": "../y"},
    "each without its place": {"address": "http://x/y", "each": ["a"]},
    "one sum of several files": {"address": "http://x/{each}", "each": ["a"], "sha256": "0" * 64},
    "half a sum": {"address": "http://x/y", "sha256": "abc"},
    "an unknown key": {"address": "http://x/y", "size": 3},
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_entry_of_the_list_is_one_line(tmp_path, name):
    path = tmp_path / "data.yaml"
    path.write_text(yaml.safe_dump({"x": {"about": "a", "licence": "l", "files": [BAD[name]]}}))
    with pytest.raises(ConfigurationError, match=r"data.yaml: x.files.0") as caught:
        read_public_sets(path)
    assert len(caught.value.problems) == 1


def test_a_checksum_of_digits_alone_is_asked_for_in_quotes(tmp_path):
    path = tmp_path / "data.yaml"
    path.write_text(f"x: {{about: a, licence: l, files: [{{address: 'http://x/y', md5: {'1' * 32}}}]}}")
    with pytest.raises(ConfigurationError, match=r"x.files.0.md5: 1{32} is not text; put it into quotes"):
        read_public_sets(path)


def test_the_list_of_the_repository():
    """The sets that the workflow's kinds are tried on; every file apart, and its licence said."""
    known = read_public_sets()
    named = {
        "hg38",
        "grch37",
        "geuvadis",
        "1000genomes_30x",
        "encode_gm12878",
        "hackathon",
        "genomic_benchmarks",
        "nt_tasks",
    }
    assert named | {"gue", "lrb", "traitgym", "clinvar", "brca1", "mpra", "jaspar", "kegg", "refseq"} <= known.keys()
    files = wanted_files(list(known))
    assert len({file.path for file in files}) == len(files)
    assert all(file.bytes for file in files) and all(one.licence for one in known.values())
    assert all(one.note for one in known.values() if not one.files), "what has to be done by hand is said"


STUDIES = sorted((ROOT / "config/studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_studies_on_real_data_name_their_set(path):
    raw = yaml.safe_load(path.read_text())
    made = raw.get("simulate", {}).keys() & {"cohort", "repeats", "coding", "annotated"}
    made |= {"simulated" for task in raw["tasks"].values() if "simulated" in task}
    made |= {label for label, task in raw["tasks"].items() if "simulated" in task}
    assert bool(raw.get("data")) != bool(made), "real data are fetched, made ones are not"
    wanted_files(raw.get("data", []))
