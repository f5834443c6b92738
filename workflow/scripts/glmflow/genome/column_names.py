"""Columns of tables that people write: taken by any of their usual names, asked about where it is not clear, never dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from glmflow.errors import InputError
from glmflow.genome.contigs import some

SAMPLES: Mapping[str, tuple[str, ...]] = {
    "sample": (
        *("sample", "sample_id", "sample_name", "sampleid", "iid", "individual", "individual_id", "id", "donor"),
        *("donor_id", "subject", "subject_id", "subjid", "person", "participant", "participant_id"),
    ),
    "population": (
        *("population", "pop", "population_code", "pop_code", "ancestry", "ethnicity", "subpopulation"),
        *("super_pop", "superpop", "super_population", "superpopulation", "superpopulation_code"),
        *("continental_group", "race", "ethnic_group", "continent", "geographic_ancestry", "genetic_ancestry"),
        *("self_reported_ethnicity", "self_reported_race", "pop_label", "population_label", "admixture_group"),
    ),
    "family": (
        *("family", "family_id", "fid", "famid", "fam", "fam_id", "familyid", "pedigree", "pedigree_id"),
        *("household", "household_id", "trio", "trio_id", "quartet"),
    ),
    "batch": ("batch", "batch_id", "plate", "lane", "run", "sequencing_center", "center", "library_batch"),
    "sex": ("sex", "gender"),
}
"""Usual names of the columns of a table of samples, the finest first: the first that is there is taken."""


WORDS: Mapping[str, tuple[str, ...]] = {
    "population": (
        *("population", "populations", "pop", "pops", "superpopulation", "subpopulation", "ancestry", "ancestries"),
        *("ethnic", "ethnicity", "race", "nationality", "continent"),
    ),
    "family": (
        *("family", "families", "fam", "pedigree", "ped", "kinship", "sibling", "siblings", "sibship", "twin", "twins"),
        "trio",
    ),
    "batch": ("batch", "batches", "flowcell"),
    "sex": ("sex", "gender"),
}
"""Words of a column of samples (`reported_ancestry`, `1000G population`) that is asked about where nothing else says so."""


ALLELES: Mapping[str, tuple[str, ...]] = {
    "chrom": ("chrom", "chr", "chromosome", "contig", "seqname", "seqnames"),
    "pos": ("pos", "position", "bp", "pos_1", "pos1"),
    "start": ("start", "chrom_start", "chromstart", "pos_0", "pos0"),
    "ref": ("ref", "reference", "ref_allele", "reference_allele", "ref_base"),
    "alt": ("alt", "alternative", "alternate", "alt_allele", "alternative_allele", "alternate_allele", "alt_base"),
}
"""Usual names of the columns of a table of alleles: `pos` counts from 1 as in a VCF, `start` from 0."""


class Columns(NamedTuple):
    """What a header was taken for.

    Attributes
    ----------
    taken
        Column of the file by what it is.
    notes
        What was taken under another name, and what else might have been meant.
    unknown
        Columns that are none of these, in the order of the file.
    """

    taken: dict[str, str]
    notes: list[str]
    unknown: list[str]


def allele_columns(header: Sequence[str], ref: bool = True, where: str | None = None) -> Columns:
    """Return which columns of a table hold the place and the alleles: `pos` where it is there, else `start`.

    Parameters
    ----------
    header
        Names of the columns.
    ref
        Whether REF is read.
    where
        The file.

    Raises
    ------
    InputError
        See `known_columns`.
    """
    plain = set(map(plain_name, header))
    has = {name: not plain.isdisjoint(map(plain_name, ALLELES[name])) for name in ("pos", "start")}
    unread = {"pos" if has["start"] and not has["pos"] else "start", *(() if ref else ("ref",))}
    return known_columns(header, {name: usual for name, usual in ALLELES.items() if name not in unread}, where=where)


def known_columns(
    header: Sequence[str],
    wanted: Mapping[str, Sequence[str]] = SAMPLES,
    required: Sequence[str] = (),
    where: str | None = None,
) -> Columns:
    """Return which column of a header is what.

    Case, blanks, dots, dashes, `#` and quotes make no difference. A column that is spelled nearly like a wanted one
    (`Populaton`) is asked about: nothing that changes a null or a split is left out because of its spelling.

    Parameters
    ----------
    header
        Names of the columns.
    wanted
        Usual names of each, best first.
    required
        Which of them there have to be.
    where
        The file.

    Raises
    ------
    InputError
        Two columns have the same name, one is spelled nearly like a wanted one that is not there, or a required one is
        missing.
    """
    plain: dict[str, str] = {}
    spellings = {plain_name(spelling) for usual in wanted.values() for spelling in usual}
    for column in header:
        if plain_name(column) in plain and plain_name(column) in spellings:
            twice = f"columns {plain[plain_name(column)]!r} and {column!r} have the same name"
            raise InputError(twice, where=where, fix="Give each another one.")
        plain[plain_name(column)] = column
    taken, notes, used = {}, [], set()
    for name, usual in wanted.items():
        found = [plain[spelling] for spelling in map(plain_name, usual) if spelling in plain]
        found = [column for column in found if column not in used]
        if not found:
            continue
        taken[name] = found[0]
        used.update(found)
        if found[0] != name:
            notes.append(f"column {found[0]!r} is taken for `{name}`")
        if len(found) > 1:
            others = some([repr(column) for column in found[1:]])
            notes.append(f"`{name}` could also be {others}; name it `{name}` to take another")
    unknown = [column for column in header if column not in used]
    _ask_about(unknown, wanted, taken, where)
    for name in required:
        if name not in taken:
            shown = some([repr(column) for column in header]) or "nothing"
            raise InputError(
                f"no column `{name}`: the header has {shown}", where=where, fix=f"Name it {some(wanted[name])}."
            )
    return Columns(taken, notes, unknown)


def _ask_about(
    unknown: Iterable[str], wanted: Mapping[str, Sequence[str]], taken: Mapping[str, str], where: str | None
) -> None:
    """Stop where an unknown column is spelled nearly like one that is wanted and not there."""
    for column in unknown:
        for name, usual in wanted.items():
            if name not in taken and (nearly(column, usual) or _words(column).intersection(WORDS.get(name, ()))):
                raise InputError(
                    f"column {column!r} may be meant for `{name}`, which would be left out",
                    where=where,
                    fix=f"Name it `{name}`, or something else if it is not.",
                )


def nearly(column: str, usual: Iterable[str]) -> str | None:
    """Return the usual name that a column is spelled nearly like, or begins with; None where it is like none."""
    spellings = [plain for spelling in usual if len(plain := plain_name(spelling)) > 2]
    plain = plain_name(column)
    if len(plain) < 3:
        return None
    near = get_close_matches(plain, spellings, 1, 0.8)
    near = near or [spelling for spelling in spellings if len(spelling) > 4 and plain.startswith(spelling)]
    return near[0] if near else None


def _words(column: str) -> set[str]:
    """Return the words of a column's name, also of one that is written `inferredAncestry`."""
    return set(plain_name(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(column))).split("_"))


def plain_name(column: str) -> str:
    """Return a column's name in small letters, words joined by `_`, without `#` and quotes."""
    return re.sub(r"[\s.\-_]+", "_", str(column).strip().strip("#\"'\ufeff").strip().lower()).strip("_")
