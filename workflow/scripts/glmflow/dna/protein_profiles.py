"""Families of the proteins that a sequence codes for: profile HMMs searched by HMMER (pyhmmer, an optional package)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from glmflow.errors import InputError
from glmflow.genome.canonical import Sequence, as_bases
from glmflow.text_files import open_bytes

from .gene_calls import genes, genes_known
from .open_frames import open_frames, strand_of, translation

EVALUE = 1e-5
"""Chance hits of a protein among all profiles of a file: one in 100,000 proteins, where a validation looks at thousands."""
LONGEST = 100_000
"""Residues of a protein that HMMER reads at most."""
HEADER = b"HMMER3/"
GIVE_PROFILES = (
    "Give profiles of proteins in HMMER's own text format (hmmbuild writes it, Pfam offers it), plain or gzip."
)


def proteins(sequence: Sequence) -> list[str]:
    """Return the proteins of the genes that Prodigal finds, or of open frames from ATG to a stop where pyrodigal is missing.

    Every residue is what its codon says, the first one too, which a cell reads as methionine. A stop codon inside (of genes
    that Prodigal reads by table 4, where TGA is tryptophan) is X, an unknown residue.
    """
    bases = as_bases(sequence)
    found = genes(bases) if genes_known() else open_frames(bases)
    read = (translation(strand_of(bases, frame)).removesuffix("*").replace("*", "X") for frame in found)
    return [protein for protein in read if protein]


class ProteinProfiles:
    """Profile HMMs, each a family of proteins, by their places in the file.

    Parameters
    ----------
    names
        Of the profiles.
    block
        The profiles as pyhmmer searches them.
    evalue
        E-value of a hit at most (`EVALUE` where None), counted over the profiles as hmmscan does: it does not change with
        how many proteins are looked at.
    gathering
        The gathering score of each profile is the least of a hit instead.
    """

    def __init__(self, names: list[str], block: Any, evalue: float | None = None, gathering: bool = False) -> None:
        from pyhmmer.plan7 import Pipeline

        self.names = names
        self._place = {name: place for place, name in enumerate(names)}
        self._block = block
        least = {"bit_cutoffs": "gathering"} if gathering else {"E": EVALUE if evalue is None else evalue}
        self._pipeline = Pipeline(block.alphabet, Z=len(names), **least)

    def families_of(self, protein: str) -> list[int]:
        """Return the places of the profiles that have a hit in a protein (Eddy 2011; Larralde and Zeller 2023), sorted."""
        from pyhmmer.easel import TextSequence

        query = TextSequence(name="protein", sequence=protein[:LONGEST]).digitize(self._block.alphabet)
        return sorted(self._place[hit.name] for hit in self._pipeline.scan_seq(query, self._block) if hit.reported)


def read_profiles(
    path: Path, evalue: float | None = None, gathering: bool = False, most: int | None = None
) -> ProteinProfiles:
    """Return the profiles of a file, plain or compressed; the first `most` alone where that is given.

    Raises
    ------
    InputError
        pyhmmer is not installed; the file holds no profiles of HMMER3, or none of proteins; two have one name; one lacks
        what hits are judged by.
    """
    try:
        from pyhmmer.easel import Alphabet
        from pyhmmer.plan7 import Background, OptimizedProfileBlock
    except ImportError:
        raise InputError(
            "protein families cannot be looked for: pyhmmer is not installed",
            where=path,
            fix="pip install pyhmmer, or glmflow[hmms].",
        ) from None
    alphabet = Alphabet.amino()
    background, block = Background(alphabet), OptimizedProfileBlock(alphabet)
    names: dict[str, None] = {}
    with open_bytes(path) as handle:
        if not handle.peek(len(HEADER)).startswith(HEADER):
            raise InputError("no file of HMMER3 profiles", where=path, fix=GIVE_PROFILES)
        for hmm in islice(_profiles(path, handle, alphabet), most):
            if hmm.name in names:
                raise InputError(f"two profiles are called {hmm.name}", where=path, fix="Give each family once.")
            if gathering and not hmm.cutoffs.gathering_available():
                what = f"profile {hmm.name} has no gathering cutoff (GA)"
                raise InputError(what, where=path, fix="Judge hits by their E-value instead.")
            if hmm.evalue_parameters.f_tau is None:
                what = f"profile {hmm.name} has no E-value statistics (STATS)"
                raise InputError(what, where=path, fix="Build it with hmmbuild, which calibrates it.")
            names[hmm.name] = None
            block.append(hmm.to_profile(background).to_optimized())
    return ProteinProfiles(list(names), block, evalue, gathering)


def _profiles(path: Path, handle: Any, alphabet: Any) -> Iterator[Any]:
    """Yield the profiles of an open file."""
    from pyhmmer.plan7 import HMMFile

    with _one_line(path), HMMFile(handle) as file:
        for hmm in file:
            if hmm.alphabet != alphabet:
                what = f"profile {hmm.name} is of {hmm.alphabet.type}, not of proteins"
                raise InputError(what, where=path, fix=GIVE_PROFILES)
            yield hmm


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """Turn what pyhmmer raises on a file that it cannot read into one line."""
    from pyhmmer.errors import EaselError, UnexpectedError

    try:
        yield
    except (ValueError, EOFError, OSError, EaselError, UnexpectedError) as error:
        reason = "profiles of several alphabets" if type(error).__name__ == "AlphabetMismatch" else str(error)
        raise InputError(f"damaged, or no file of HMMER3 profiles ({reason})", where=path, fix=GIVE_PROFILES) from None
