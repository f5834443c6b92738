"""Clusters of homologous sequences, below the identity that shared k-mers see, by an outside program."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glmflow.errors import InputError
from glmflow.genome.packed import Packed
from glmflow.genome.similarity import joined_labels

IDENTITY, COVERAGE = 0.8, 0.5
"""Identity, over this part of the shorter sequence."""


def homology_clusters(
    packed: Packed, identity: float = IDENTITY, coverage: float = COVERAGE, cores: int = 1
) -> NDArray[np.int64]:
    """Return the cluster of each sequence by MMseqs2 (Steinegger and Soeding 2017), int64[n], both strands.

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
        fasta, result = Path(folder) / "all.fa", Path(folder) / "found"
        with fasta.open("w") as handle:
            for row in range(packed.count):
                handle.write(f">{row}\n{packed.text(row)}\n")
        command = [
            *("mmseqs", "easy-cluster", str(fasta), str(result), str(Path(folder) / "work")),
            *("--min-seq-id", str(identity), "-c", str(coverage), "--cov-mode", "5", "--cluster-mode", "1"),
            *("--search-type", "3", "--strand", "2", "--dbtype", "2", "--threads", str(cores), "-v", "1"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        table = Path(f"{result}_cluster.tsv")
        if done.returncode or not table.exists():
            reason = ((done.stderr or done.stdout).strip().splitlines() or ["no message"])[-1]
            raise InputError(f"mmseqs failed: {reason}", where="splits.by: homology", fix="Say by: similarity.")
        cluster = np.arange(packed.count)
        for line in table.read_text().splitlines():
            chief, member = line.split("\t")
            cluster[int(member)] = int(chief)
    return joined_labels(cluster)
