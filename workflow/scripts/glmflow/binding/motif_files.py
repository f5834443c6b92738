"""Motifs of TFs: MEME and JASPAR files, their versions, and which TF they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.text_files import text_lines

from .keys import some_of

VERSIONED = re.compile(r"(.+)\.(\d+)$")
COUNTS = re.compile(r"^([ACGT])?\s*\[?\s*([-+.\deE\s]+?)\s*\]?$")
HUMAN = ("human", "homo sapiens", "9606")


class Motif(NamedTuple):
    """A position weight matrix.

    Attributes
    ----------
    name
        Identifier, such as `MA0058.4`.
    tf
        TF as the file has it.
    counts
        Counts, or probabilities times the number of sites, `[width, 4]` in the order A, C, G, T.
    """

    name: str
    tf: str
    counts: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.counts)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Share of each base at each position."""
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    def log_odds(self, background: Sequence[float] = (0.25,) * 4, pseudocount: float = 0.8) -> NDArray[np.float64]:
        """Return log2(((n + s b) / (N + s)) / b), `[width, 4]`, with counts n of N, background b and pseudocount s."""
        b = np.asarray(background, np.float64)
        total = self.counts.sum(axis=1, keepdims=True)
        return np.log2((self.counts + pseudocount * b) / (total + pseudocount) / b)


def read_motifs(path: str | Path) -> list[Motif]:
    """Read a MEME or JASPAR file, by its first line.

    Of a MEME name with dots (`MA0058.4.MAX`) the TF is what is behind the last one; else it is the second word of the
    header, or the name.

    Raises
    ------
    InputError
        It is neither, a matrix is damaged, or there is none.
    """
    path = Path(path)
    lines = [(number, line.strip()) for number, line in text_lines(path)]
    first = next((line for _, line in lines if line), "")
    motifs = _meme(lines, path) if first.startswith("MEME") else _jaspar(lines, path) if first.startswith(">") else None
    if motifs is None:
        raise InputError("neither MEME nor JASPAR", where=path, fix="Give a file that begins with MEME or with >.")
    if not motifs:
        raise InputError("no motif", where=path, fix="Give one matrix at least.")
    return motifs


def _meme(lines: list[tuple[int, str]], path: Path) -> list[Motif]:
    found, name, tf, sites, left, rows = [], "", "", 1.0, 0, []
    for number, line in lines:
        words = line.split()
        if line.startswith("MOTIF"):
            if len(words) < 2:
                raise InputError("a motif without a name", where=f"{path}:{number}", fix="Name it.")
            name = words[1]
            tf = (words[2] if len(words) > 2 else words[1]).split(".")[-1]
        elif line.startswith("letter-probability matrix"):
            given = dict(re.findall(r"(\w+)=\s*(\S+)", line))
            left, sites, rows = int(given.get("w", 0)) or -1, float(given.get("nsites", 20)), []
        elif left and words and re.match(r"[-+.\d]", line):
            rows.append(_numbers(words, f"{path}:{number}"))
            left -= 1
            if left == 0:
                found.append(_motif(name, tf, np.array(rows) * sites, path))
        elif left < 0 and rows:
            found.append(_motif(name, tf, np.array(rows) * sites, path))
            left = 0
        elif left > 0 and words:
            raise InputError(f"{name}: {left} rows are missing", where=f"{path}:{number}", fix="Give the whole matrix.")
    if left > 0 or (left < 0 and not rows):
        raise InputError(f"{name}: the matrix ends early", where=path, fix="Give the whole matrix.")
    if left < 0:
        found.append(_motif(name, tf, np.array(rows) * sites, path))
    return found


def _jaspar(lines: list[tuple[int, str]], path: Path) -> list[Motif]:
    found, header, rows = [], None, []
    for number, line in [*lines, (0, ">")]:
        if line.startswith(">"):
            if header is not None:
                words = header.split()
                if not words or len({len(row) for row in rows}) != 1 or len(rows) != 4:
                    raise InputError(
                        f"{header or 'a motif'}: not four rows of one length", where=path, fix="Give A, C, G, T."
                    )
                tf = words[1] if len(words) > 1 else words[0]
                found.append(_motif(words[0], tf.split(".")[-1], np.array(rows).T, path))
            header, rows = line[1:].strip(), []
        elif line:
            matched = COUNTS.match(line)
            if not matched:
                raise InputError(f"{header}: not a row of counts", where=f"{path}:{number}", fix="Write A [ 1 2 ... ].")
            rows.append(_numbers(matched[2].split(), f"{path}:{number}", None))
    return found


def _numbers(words: list[str], where: str, count: int | None = 4) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise InputError("not numbers", where=where, fix="Give a matrix of numbers.") from None
    if count is not None and len(values) != count:
        raise InputError(f"{len(values)} numbers", where=where, fix="Give A, C, G and T.")
    return values


def _motif(name: str, tf: str, counts: NDArray[np.float64], path: Path) -> Motif:
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts.sum(axis=1) <= 0).any():
        raise InputError(f"{name}: a count is negative, or a position has none", where=path, fix="Correct the matrix.")
    return Motif(name, tf, counts)


def newest_versions(motifs: Iterable[Motif], species: Mapping[str, str] | None = None) -> list[Motif]:
    """Return the newest version of each base id (`MA0058` of `MA0058.4`); of those of man where there are any.

    The order matters: the newest of all may be of mouse, and dropping it afterwards would lose the TF. Whose a motif is `species`
    says; of the others their TF, written in capitals for man and not for other vertebrates (AR and Ar), by which 754 of
    the 755 human motifs of JASPAR 2024 are found.
    """
    species = species or {}
    groups: dict[str, list[tuple[int, Motif]]] = {}
    for motif in motifs:
        matched = VERSIONED.match(motif.name)
        base, version = (matched[1], int(matched[2])) if matched else (motif.name, 0)
        groups.setdefault(base, []).append((version, motif))
    found = []
    for versions in groups.values():
        human = [one for one in versions if _of_man(one[1], species)]
        found.append(max(human or versions, key=lambda one: one[0])[1])
    return found


def _of_man(motif: Motif, species: Mapping[str, str]) -> bool:
    if motif.name in species:
        return species[motif.name].lower() in HUMAN
    return motif.tf == motif.tf.upper()


def motifs_of(
    tfs: Sequence[str],
    motifs: Sequence[Motif],
    names: pd.DataFrame | None = None,
    keep: bool = False,
    older: Sequence[Motif] = (),
) -> dict[str, list[Motif]]:
    """Return the motifs of each TF: those that `names` (`tf`, `motif`: an id or a TF of the file) gives it, else those of
    its own name, whatever the case; of a TF without one an empty list, if these are kept. Versions that are `older` are found by
    their id alone.

    Raises
    ------
    InputError
        A TF has no motif, or `names` gives one that is not there.
    """
    by_id = {motif.name: motif for motif in (*older, *motifs)}
    by_tf: dict[str, list[Motif]] = {}
    for motif in motifs:
        by_tf.setdefault(motif.tf.upper(), []).append(motif)
    given: dict[str, list[str]] = {}
    if names is not None:
        for tf, motif in names[["tf", "motif"]].astype(str).itertuples(index=False):
            given.setdefault(tf, []).append(motif)
    found, without = {}, []
    for tf in tfs:
        wanted: list[Motif] = []
        for name in given.get(tf, [tf]):
            own = [by_id[name]] if name in by_id else by_tf.get(name.upper(), [])
            if not own and tf in given:
                raise InputError(f"{tf}: no motif {name}", where="tf_names", fix="Name a motif of the file.")
            wanted += own
        if not wanted:
            without.append(tf)
        found[tf] = list({motif.name: motif for motif in wanted}.values())
    if without and not keep:
        raise InputError(
            f"{len(without):,} TFs without a motif: {some_of(without)}",
            where="motifs",
            fix="Name theirs in `tf_names`, or exclude them.",
        )
    return found


def write_meme(motifs: Iterable[Motif], path: str | Path) -> None:
    """Write motifs as a MEME file of minimal layout."""
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    for motif in motifs:
        sites = float(motif.counts.sum(axis=1).mean())
        lines += [f"MOTIF {motif.name} {motif.name}.{motif.tf}"]
        lines += [f"letter-probability matrix: alength= 4 w= {motif.width} nsites= {sites:g} E= 0"]
        lines += [" ".join(f"{value:.6f}" for value in row) for row in motif.probabilities]
        lines += [""]
    Path(path).write_text("\n".join(lines))
