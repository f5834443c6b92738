"""Which column of a table holds what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from os import PathLike

from glmflow.errors import InputError
from glmflow.genome.contigs import some

NAMES: dict[str, tuple[str, ...]] = {
    "sequence": ("sequence", "seq", "dna_sequence", "dna_seq", "text"),
    "label": ("label", "labels", "target"),
    "split": ("split",),
    "fold": ("fold",),
    "group": ("group",),
    "subset": (),  # named by the user alone: some tables call their splits so
    "chrom": ("chrom", "chr", "chromosome", "#chrom"),
    "start": ("start", "chromstart", "chrom_start"),
    "end": ("end", "stop", "chromend", "chrom_end"),
    "strand": ("strand",),
    "example": ("example", "id", "name"),
}
"""Headers that are taken for a role without being asked; capitals and spaces around them do not count."""

KIN = frozenset(
    [
        *(
            "gene",
            "transcript",
            "protein",
            "uniprot",
            "ensembl",
            "entrez",
            "locus",
            "family",
            "cluster",
            "sample",
            "accession",
        ),
        *("donor", "patient", "person", "people", "individual", "subject", "participant", "sibling", "twin"),
    ]
)
"""What columns name whose rows belong together: not read as anything, but looked at for what splits share."""
BATCHES = frozenset(
    [
        *(
            "batch",
            "plate",
            "well",
            "lane",
            "run",
            "flowcell",
            "library",
            "pool",
            "chip",
            "array",
            "barcode",
            "replicate",
        ),
        *("rep", "experiment", "study", "cohort", "dataset", "laboratory", "lab", "center", "centre", "institute"),
        *("platform", "instrument", "machine", "sequencer", "operator", "date", "day", "protocol", "kit", "assay"),
        *("cell", "celltype", "cellline", "tissue", "organ", "species", "organism", "strain", "sex"),
    ]
)
"""What columns name that say under which conditions rows were made, which labels and splits should not go with."""
OF_CELLS = frozenset(["type", "types", "line", "lines"])
"""Words behind `cell` that belong to it (`cell_type`)."""
NAMING = frozenset(
    ["id", "ids", "name", "names", "symbol", "symbols", "number", "no", "code", "key", "accession", "barcode"]
)
"""Words behind these that say how they are named (`gene_id`, `Donor ID`, `patientId`)."""

SECOND = re.compile(r"(dna_?)?(sequence|seq)[\s_]?(2|b|two)")
"""Headers of a second sequence in a row, as in tables of pairs."""
SEVERAL = ("label",)
"""Roles that may be played by several columns, if the user names them."""
POSITION = {"start", "end"}
"""Roles that one column may play, if the user names it for both: the position of a base, counted from one."""


def require_names_once(header: Sequence[str], where: str | PathLike[str]) -> None:
    """Stop if two columns of a table have one name."""
    twice = [name for name in dict.fromkeys(header) if list(header).count(name) > 1]
    if twice:
        raise InputError(f"two columns are called {twice[0]!r}", where=where, fix="Rename one of them.")


def find_columns(
    header: Sequence[str], given: Mapping[str, str | Sequence[str]] | None = None, where: str | PathLike[str] = "table"
) -> dict[str, list[str]]:
    """Return the columns that play each role; roles that no column plays are left out.

    Parameters
    ----------
    header
        Columns of the table.
    given
        Role to column (or columns, for `label`), as the user names them; nothing else is looked for in these roles.
    where
        The file, for messages.

    Raises
    ------
    InputError
        A column that was named is not there, two columns could play one role, or neither a sequence nor an interval
        can be found.
    """
    given = {role: [names] if isinstance(names, str) else list(names) for role, names in (given or {}).items()}
    require_names_once(header, where)
    for role, names in given.items():
        if role not in NAMES:
            raise InputError(f"columns: no role {role!r}", where=where, fix=f"Roles are {', '.join(NAMES)}.")
        if len(names) > 1 and role not in SEVERAL:
            raise InputError(f"columns: {role} is played by one column", where=where, fix="Name one.")
        require_columns(names, header, where)
    taken: dict[str, str] = {}
    for role, names in given.items():
        for name in names:
            if taken.setdefault(name, role) != role and {taken[name], role} != POSITION:
                what = f"column {name!r} is named as the {taken[name]} and as the {role}"
                raise InputError(what, where=where, fix="Name a column for each.")
    found = dict(given)
    for role, names in NAMES.items():
        if role in given:
            continue
        candidates = [name for name in header if name not in taken and name.strip().lower() in names]
        if len(candidates) > 1:
            raise InputError(
                f"two columns could be the {role}: {' and '.join(map(repr, candidates[:2]))}",
                where=where,
                fix=f"Say which: columns: {{{role}: {candidates[0]}}}.",
            )
        if candidates:
            found[role] = candidates
    if "sequence" not in given and (second := [name for name in header if SECOND.fullmatch(name.strip().lower())]):
        what = f"column {second[0]!r} holds a second sequence, and pairs of sequences are not read"
        fix = "Leave it out, or say which sequence is read: columns: {sequence: NAME}."
        raise InputError(what, where=where, fix=fix)
    interval = [role for role in ("chrom", "start", "end") if role in found]
    if "sequence" not in found and len(interval) < 3:
        what = f"neither a sequence nor chrom, start and end among its columns ({some(map(str, header), 8)})"
        missing = [role for role in ("chrom", "start", "end") if role not in found] if interval else ["sequence"]
        example = ", ".join(f"{role}: {_example(header, role)}" for role in missing)
        raise InputError(what, where=where, fix=f"Say which is which: columns: {{{example}}}.")
    if len(interval) < 3:
        for role in interval:
            del found[role]
    return found


def require_columns(names: Iterable[str], header: Sequence[str], where: str | PathLike[str]) -> None:
    """Stop if a table lacks a column.

    Raises
    ------
    InputError
        It does; a name that is close to it is suggested.
    """
    for name in names:
        if name not in header:
            raise InputError(f"no column {name!r}", where=where, fix=_hint(name, header))


def kin_columns(header: Sequence[str], found: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns that play no role and by whose name rows belong together (genes, donors ...)."""
    return _unused(header, found, KIN)


def batch_columns(header: Sequence[str], found: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns that play no role and by whose name rows were made under like conditions (batch, cell type ...)."""
    return _unused(header, found, BATCHES)


def _unused(header: Sequence[str], found: Mapping[str, Sequence[str]], known: frozenset[str]) -> list[str]:
    """Return the columns that play no role and name one of the words that are known."""
    taken = {name for names in found.values() for name in names}
    return [name for name in header if name not in taken and _named_of(name, known) in known]


def _named_of(header: str, known: frozenset[str]) -> str:
    """Return what a column names: the last word of its header but for those that say how (`ensembl_gene_id`: gene)."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", header).lower())
    while len(words) > 1 and words[-1] in NAMING:
        words.pop()
    if len(words) > 1 and words[-1] in OF_CELLS and words[-2] == "cell":
        words.pop()
    last = words[-1] if words else ""
    return next(
        (last.removesuffix(ending) for ending in ("ids", "id", "s") if last.removesuffix(ending) in known), last
    )


def describe(found: Mapping[str, Sequence[str]], header: Sequence[str]) -> str:
    """Say which column was taken for what, and which ones were left alone."""
    taken = {name for names in found.values() for name in names}
    left = [name for name in header if name not in taken]
    pairs = ", ".join(f"{role} = {'+'.join(names)}" for role, names in found.items())
    return pairs + (f"; not read: {some(left, 8)}" if left else "")


def _hint(name: str, header: Sequence[str]) -> str:
    close = get_close_matches(name, header, 1)
    return f"Did you mean {close[0]!r}?" if close else f"It has {some(map(str, header), 8)}."


def _example(header: Sequence[str], role: str) -> str:
    """Return a column that a role could be, to be named as an example."""
    return next((str(name) for name in header if role in str(name).lower()), str(header[0]) if header else "NAME")
