"""Contig names, which differ between files of the same genome."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from glmflow.errors import InputError

log = logging.getLogger(__name__)


def match_contigs(
    ours: Iterable[str], theirs: Iterable[str], where: str | os.PathLike[str] | None = None
) -> dict[str, str]:
    """Find the contigs of a genome in a file that may name them otherwise (chr1 or 1, chrM or MT).

    Equal names are matched first; the rest only where a single name of each side can be meant. A mapping of
    names is logged.

    Parameters
    ----------
    ours
        Contigs of the genome.
    theirs
        Contigs of the other file.
    where
        The other file, for messages.

    Returns
    -------
    dict[str, str]
        Our name to theirs, for every contig that both have, in our order.

    Raises
    ------
    InputError
        No contig is shared, or one of our contigs could be several of theirs (or the reverse).
    """
    ours, theirs = list(dict.fromkeys(ours)), list(dict.fromkeys(theirs))
    equal = set(ours) & set(theirs)
    renamed = renamed_contigs(ours, theirs, "the genome's", where)
    if not equal and not renamed:
        raise InputError(
            f"no contig of the genome: it has {some(theirs) or 'none'}, the genome {some(ours)}",
            where=where,
            fix="Give a file of the same genome, or rename its contigs.",
        )
    shared = equal | renamed.keys()
    return {name: name if name in equal else renamed[name] for name in ours if name in shared}


def renamed_contigs(
    ours: Iterable[str], theirs: Iterable[str], whose: str, where: str | os.PathLike[str] | None = None
) -> dict[str, str]:
    """Pair contigs that are named otherwise in another file: our name to theirs, equal names left out; they are logged.

    Raises
    ------
    InputError
        One of ours could be several of theirs, or the reverse; `whose` says in the message what ours are.
    """
    ours = list(ours)
    equal = set(ours) & set(theirs)
    left_ours, left_theirs = _by_core_name(ours, equal), _by_core_name(theirs, equal)
    renamed: dict[str, str] = {}
    for core in left_ours.keys() & left_theirs.keys():
        if len(left_ours[core]) > 1 or len(left_theirs[core]) > 1:
            raise InputError(
                f"contig names {', '.join(left_theirs[core])} do not tell which of {whose}"
                f" {', '.join(left_ours[core])} is meant",
                where=where,
                fix="Rename them as in the FASTA.",
            )
        renamed[left_ours[core][0]] = left_theirs[core][0]
    if renamed:
        pairs = some(f"{renamed[name]} is {name}" for name in ours if name in renamed)
        log.warning("%s: contig names mapped: %s", where or "contigs", pairs)
    return renamed


def find_contig(name: str, names: Iterable[str]) -> str | None:
    """Return the one of some contig names that means `name`: the same, or alone in differing by its prefix."""
    return ContigNames(names).find(name)


class ContigNames:
    """The contig names of a file, looked up by those of another.

    Grouped once where a name is not there as it is: files of assemblies in pieces have a hundred thousand.
    """

    def __init__(self, names: Iterable[str]):
        self._names = dict.fromkeys(names)

    def find(self, name: str) -> str | None:
        """Return the name that means `name`: the same, or alone in differing by its prefix."""
        if name in self._names:
            return name
        alike = self._groups.get(_core_name(name), [])
        return alike[0] if len(alike) == 1 else None

    @cached_property
    def _groups(self) -> dict[str, list[str]]:
        return _by_core_name(self._names, set())


_COPIES = re.compile(
    r".+_(alt|fix|decoy)|.+_hap\d+"  # UCSC: hg19, hg38, mm10, mm39
    r"|hs3[78]d\d+.*|HLA-.+"  # decoys and HLA alleles of the analysis sets
    r"|CHR_(?:[HM]G\d|.*(?:CTG|HSCHR|MMCHR)).*|.+_PATCH"  # Ensembl, and the GRC's own names
    r"|(?:HS|MM)CHR(?!.*(?:UNLOCALIZED|RANDOM|UN_)).+|[HM]G\d+(?:_[HM]G\d+)*(?:_NOVEL_TEST)?"
)
_CHROMOSOME_1 = (248_956_422, 249_250_621)  # of GRCh38 and GRCh37
_HUMAN_COPIES = re.compile(
    # RefSeq: patches, and alternate loci among scaffolds that are not.
    r"NW_\d+\.\d+|NT_(?:113891\.[23]|113949\.2|16724[4-9]\.\d+|16725[01]\.\d+|1875(?:1[4-9]|[2-9]\d)\.\d+|1876\d\d\.\d+)"
    # GenBank: the same; GL000209.1 is an unlocalized scaffold of GRCh37, GL000209.2 an alternate locus of GRCh38.
    r"|GL000209\.2|GL00025[0-8]\.\d+|GL[3-9]\d{5}\.\d+|KI270(?:75[89]|7[6-9]\d|[89]\d\d)\.\d+"
    r"|(?:JH|KB|KE|KN|KQ|KV|KZ|ML|MU)\d{6}\.\d+"
)


def alternate_contigs(contigs: Mapping[str, int]) -> list[str]:
    """Return the contigs that hold further copies of a genome's sequence: alternate loci, patches, HLA alleles, decoys.

    Their sequence is that of a chromosome, in part letter for letter: windows of one in training and of the other in
    testing leak. Known by the names that UCSC, Ensembl, GENCODE, NCBI and the analysis sets give them in GRCh37, GRCh38
    and the mouse genome (NCBI assembly reports GCF_000001405.25 and .39); accession numbers alone tell them only where
    chromosome 1 has the length of a human one. Unplaced and unlocalized scaffolds are no copies.

    Parameters
    ----------
    contigs
        Length in bases by name.
    """
    human = any(length in _CHROMOSOME_1 for length in contigs.values())
    return [name for name in contigs if _COPIES.fullmatch(name) or (human and _HUMAN_COPIES.fullmatch(name))]


_PSEUDOAUTOSOMAL = {
    57_227_415: ((10_000, 2_781_479), (56_887_902, 57_217_415)),  # GRCh38
    59_373_566: ((10_000, 2_649_520), (59_034_049, 59_363_566)),  # GRCh37
    62_460_029: ((0, 2_458_320), (62_122_809, 62_460_029)),  # T2T-CHM13v2.0
}
"""Regions of Y whose sequence is that of X, by the length of Y (0-based half-open; Genome Reference Consortium, T2T)."""


def pseudoautosomal_regions(contigs: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Return the regions of a human Y that are copies of X: `chrom`, `start`, `end`, 0-based half-open; else none."""
    names = [name for name in contigs if re.fullmatch(r"(?i:chr)?Y|NC_000024\.\d+|CM000686\.\d+|CP086569\.\d+", name)]
    return [(name, *region) for name in names for region in _PSEUDOAUTOSOMAL.get(contigs[name], ())]


def say_alternates(alternates: Collection[str], where: str | os.PathLike[str]) -> str:
    """Return the line that says which contigs of a genome are left out as copies of others."""
    return (
        f"{where}: {len(alternates)} contigs left out as copies of others (alternate loci, patches, HLA, decoys): "
        + (some(alternates))
    )


def _core_name(name: str) -> str:
    """Return a contig's name without the prefix `chr`; the mitochondrion is `M`."""
    core = name[3:] if name[:3].lower() == "chr" else name
    return "M" if core.upper() == "MT" else core


def contigs_by_core_name(names: Iterable[str]) -> dict[str, list[str]]:
    """Group contig names by what they mean: `chr1` and `1`, `MT` and `chrM`, in any capitals (`Chr1`)."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_core_name(str(name)).upper(), []).append(str(name))
    return found


def _by_core_name(names: Iterable[str], leave_out: set[str]) -> dict[str, list[str]]:
    """Group names by what is left without their prefix."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in leave_out:
            groups.setdefault(_core_name(name), []).append(name)
    return groups


def some(names: Iterable[str], most: int = 5) -> str:
    """Return the first of some names, and how many more there are."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
