"""FASTAs of samples: two files a sample, one for each haplotype, with a record for each gene."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from pathlib import Path

from .reference import Reference


def fastas_of(folder: Path, samples: Sequence[str]) -> dict[str, tuple[Reference, Reference]]:
    """Return both FASTAs of each sample that has both (`fasta/{sample}_allele_{1,2}.fasta`)."""
    # Two files a sample stay open; the usual limit of 1,024 is soon reached.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * len(samples) + 256
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard < 0 else min(wanted, hard), hard))
    found = {}
    for sample in samples:
        paths = [folder / "fasta" / f"{sample}_allele_{number}.fasta" for number in (1, 2)]
        if all(path.is_file() for path in paths):
            found[sample] = (Reference(paths[0]), Reference(paths[1]))
    return found
