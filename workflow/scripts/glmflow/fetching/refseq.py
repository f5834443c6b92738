"""Genomes of RefSeq: which there are and how large, and their files with the checksums that are published beside them.

Two layouts: assemblies, listed with their taxa in `{group}/assembly_summary.txt`, of which one a species can be taken; and the
release, whose divisions (`release/viral` ...) are numbered files, listed with their MD5 in the catalogue of the release.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pandas as pd
import requests

from glmflow.config.public_sets import WantedFile
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.text_files import text_lines

from .downloads import TIMEOUT, download
from .public_data import fetch

REFSEQ = "https://ftp.ncbi.nlm.nih.gov/genomes/refseq"
RELEASE = "https://ftp.ncbi.nlm.nih.gov/refseq/release"
FORMS = {"genbank": "genomic.gbff.gz", "fasta": "genomic.fna.gz"}
PACKED = {"genbank": 0.6, "fasta": 0.28}
"""Bytes of a compressed file for each base, roughly: what a choice takes is said before anything is fetched."""
SUMMARY, SUMS = "assembly_summary.txt", "md5checksums.txt"
KEPT = ["assembly_accession", "refseq_category", "taxid", "species_taxid", "organism_name", "assembly_level"]


class Choice(NamedTuple):
    """Which assemblies are wanted.

    Attributes
    ----------
    organism
        Words that the organism's name begins with, in any case; none: all.
    category
        `reference genome`, or another word of `refseq_category`; empty: all.
    level
        `assembly_level`, as `Complete Genome`; empty: all.
    per_species
        Assemblies of each species, the reference first and the newest next; 0: all.
    most
        Assemblies in all, in the order of the list; 0: all.
    """

    organism: Sequence[str] = ()
    category: str = "reference genome"
    level: str = ""
    per_species: int = 1
    most: int = 0


def read_summary(path: Path) -> pd.DataFrame:
    """Return an `assembly_summary.txt`, all columns as text, `genome_size` as a number (0 where it is not known).

    Raises
    ------
    InputError
        It is not such a list.
    """
    head, rows = None, []
    for number, line in text_lines(path, errors="replace"):
        cells = line.lstrip("# ").split("\t")
        if line.startswith("#"):
            head = cells if "assembly_accession" in cells else head
        elif head is None or len(cells) < len(head) - 1:
            raise InputError("no list of assemblies", where=f"{path}:{number}", fix="Fetch assembly_summary.txt again.")
        else:
            rows.append(dict(zip(head, [*cells, ""])))
    if head is None:
        raise InputError("no list of assemblies: its heading is missing", where=path, fix="Fetch it again.")
    table = pd.DataFrame(rows, columns=head)
    missing = {*KEPT, "ftp_path", "seq_rel_date"} - set(head)
    if missing:
        raise InputError(f"no column {', '.join(sorted(missing))}", where=path, fix="Fetch assembly_summary.txt again.")
    size = table["genome_size"] if "genome_size" in table else pd.Series("0", index=table.index)
    return table.assign(genome_size=pd.to_numeric(size, errors="coerce").fillna(0).astype("int64"))


def chosen(table: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """Return the assemblies that are wanted and can be fetched; what RefSeq excludes or has replaced is none of them.

    Raises
    ------
    InputError
        There is none.
    """
    there = ~table["ftp_path"].isin(["", "na"])
    for column, good in (("version_status", ("latest",)), ("excluded_from_refseq", ("", "na"))):
        if column in table:
            there &= table[column].isin(good)
    if choice.category:
        there &= table["refseq_category"] == choice.category
    if choice.level:
        there &= table["assembly_level"] == choice.level
    if choice.organism:
        names = table["organism_name"].str.lower()
        there &= pd.concat([names.str.startswith(word.lower()) for word in choice.organism], axis=1).any(axis=1)
    found = table[there]
    if choice.per_species:
        first = (found["refseq_category"] == "reference genome").astype(int)
        order = found.assign(first=first).sort_values(["first", "seq_rel_date"], ascending=False, kind="stable")
        found = found.loc[sorted(order.groupby("species_taxid", sort=False).head(choice.per_species).index)]
    found = found.head(choice.most) if choice.most else found
    if found.empty:
        raise InputError(
            "no assembly is of this kind", fix="Ask for less: --category '', --level '', another --organism."
        )
    return found.reset_index(drop=True)


def said_size(found: pd.DataFrame, form: str) -> str:
    """Return what a choice of assemblies takes, in a sentence."""
    bases = int(found["genome_size"].sum())
    unknown = int((found["genome_size"] == 0).sum())
    more = f"; of {unknown:,} the size is not known" if unknown else ""
    size = f"{bases:,} bases, about {bases * PACKED[form] / 1e9:.3g} GB to download{more}"
    return f"{len(found):,} assemblies of {found['species_taxid'].nunique():,} species: {size}"


def fetch_summary(group: str, folder: Path, base: str, wait: Callable[[float], Any]) -> Path:
    """Return the list of assemblies of a group, fetched every time: it changes daily."""
    path = folder / SUMMARY
    download(f"{base}/{group}/{SUMMARY}", path.with_name(f"{SUMMARY}.part"), False, wait=wait)
    path.with_name(f"{SUMMARY}.part").replace(path)
    return path


def fetch_assemblies(
    found: pd.DataFrame, folder: Path, form: str, terminal: TextIO | None, wait: Callable[[float], Any]
) -> list[Path]:
    """Fetch the files of assemblies, each held to its published MD5, and write `assemblies.tsv`; goes on where it was stopped.

    Raises
    ------
    InputError
        A file is missing, cannot be fetched, or is not what its checksum says.
    """
    wanted = []
    for row in found.itertuples():
        address = re.sub(r"^ftp://", "https://", row.ftp_path)
        name = address.rpartition("/")[2]
        file = f"{name}_{FORMS[form]}"
        sums = folder / "md5" / f"{name}.txt"
        if not sums.is_file():
            part = sums.with_name(f"{sums.name}.part")
            download(f"{address}/{SUMS}", part, False, wait=wait)
            part.replace(sums)
        wanted.append(_wanted(f"{address}/{file}", folder / file, read_sums(sums).get(file), sums))
    table = found[[*KEPT, "genome_size"]].assign(file=[file.path.name for file in wanted])
    write_table(table, folder / "assemblies.tsv")
    return fetch(wanted, folder, terminal, wait)


def release_files(division: str, folder: Path, form: str, base: str, wait: Callable[[float], Any]) -> list[WantedFile]:
    """Return the files of a division of the newest release, with their MD5.

    Raises
    ------
    InputError
        The division has no such file.
    """
    number = folder / "RELEASE_NUMBER"
    download(f"{base}/RELEASE_NUMBER", number.with_name("RELEASE_NUMBER.part"), False, wait=wait)
    number.with_name("RELEASE_NUMBER.part").replace(number)
    release = number.read_text().strip()
    listed = folder / f"release{release}.files.installed"
    if not listed.is_file():
        part = listed.with_name(f"{listed.name}.part")
        download(f"{base}/release-catalog/{listed.name}", part, False, wait=wait)
        part.replace(listed)
    pattern = re.compile(rf"{re.escape(division)}\.[0-9.]+{re.escape(FORMS[form])}")
    found = {name: sum_ for name, sum_ in read_sums(listed).items() if pattern.fullmatch(name)}
    if not found:
        fix = "Take bacteria, archaea, viral, plasmid, plastid, mitochondrion, fungi, protozoa, plant, invertebrate ..."
        raise InputError(f"release {release} has no files of division {division}", where=listed, fix=fix)
    return [
        WantedFile("refseq", f"{base}/{division}/{name}", folder / name, None, None, sum_, False, True)
        for name, sum_ in sorted(found.items())
    ]


def with_sizes(files: Sequence[WantedFile]) -> list[WantedFile]:
    """Return files with the bytes that the server says they have."""
    sized = []
    with requests.Session() as session:
        for file in files:
            try:
                answer = session.head(file.address, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
            except requests.RequestException as error:
                raise InputError(f"cannot be reached ({error})", where=file.address, fix="Try again later.") from None
            length = answer.headers.get("Content-Length", "")
            sized.append(file._replace(bytes=int(length) if answer.ok and length.isdigit() else None))
    return sized


def read_sums(path: Path) -> dict[str, str]:
    """Return the MD5 of files by name, from lines of an MD5 and a path."""
    found = {}
    for _, line in text_lines(path):
        words = line.split()
        if len(words) >= 2 and re.fullmatch("[0-9a-f]{32}", words[0]):
            found[words[-1].rpartition("/")[2]] = words[0]
    return found


def _wanted(address: str, path: Path, md5: str | None, sums: Path) -> WantedFile:
    if md5 is None:
        raise InputError(f"{path.name} is not listed", where=sums, fix="Take the other --format, or another assembly.")
    return WantedFile("refseq", address, path, None, None, md5, False, True)
