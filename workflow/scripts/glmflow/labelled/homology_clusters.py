"""Clusters of homologous sequences, below the identity that shared k-mers see, by an outside program."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.packed import Packed
from glmflow.labelled.near_pairs import connected

IDENTITY, COVERAGE = 0.8, 0.5
"""Identity, over this part of the shorter sequence."""


def homology_clusters(
    packed: Packed, identity: float = IDENTITY, coverage: float = COVERAGE, cores: int = 1
) -> NDArray[np.int64]:
    """Return the cluster of each sequence by MMseqs2 (Steinegger and Soeding 2017), int64[n], both strands.

    All are searched for among all, and relatives of relatives are in one cluster: the program's own ways of clustering ask for
    a share of the longer sequence, or leave relatives of two representatives apart.

    Raises
    ------
    InputError
        `mmseqs` is not installed, or failed: its last line is said.
    """
    if shutil.which("mmseqs") is None:
        raise InputError(
            "mmseqs is not installed",
            where="splits.by: homology",
            fix="Install MMseqs2 (Debian: mmseqs2; conda: bioconda), or say by: similarity.",
        )
    with tempfile.TemporaryDirectory() as folder:
        fasta, result = Path(folder) / "all.fa", Path(folder) / "found.tsv"
        with fasta.open("w") as handle:
            for row in range(packed.count):
                handle.write(f">{row}\n{packed.text(row)}\n")
        command = [
            *("mmseqs", "easy-search", str(fasta), str(fasta), str(result), str(Path(folder) / "work")),
            *("--search-type", "3", "--strand", "2", "-k", str(_word(len(packed.codes)))),
            *("--min-seq-id", str(identity), "--format-output", "query,target,qcov,tcov"),
            *("--threads", str(cores), "-v", "1"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not result.exists():
            reason = ((done.stderr or done.stdout).strip().splitlines() or ["no message"])[-1]
            raise InputError(f"mmseqs failed: {reason}", where="splits.by: homology", fix="Say by: similarity.")
        return connected(*_related(result, coverage), packed.count)


def _word(bases: int) -> int:
    """Return the length of the words that alignments start from, so long that one seldom occurs twice by chance.

    The program's own 15 takes an index of 8 GB, and misses relatives of 85 % in short sequences.
    """
    return min(max(math.ceil(math.log(max(bases, 1), 4)), 11), 14)


def _related(path: Path, coverage: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of each pair that aligns over enough of either."""
    names = ["query", "target", "query_share", "target_share"]
    if not path.stat().st_size:  # not even a sequence with itself: masked repeats alone
        return np.empty(0, np.int64), np.empty(0, np.int64)
    found = pd.read_csv(path, sep="\t", header=None, names=names)
    found = found[found[["query_share", "target_share"]].max(axis=1) >= coverage]
    return found["query"].to_numpy(np.int64), found["target"].to_numpy(np.int64)
