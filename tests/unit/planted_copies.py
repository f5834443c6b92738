"""Sequence with known copies in it."""

import numpy as np

BASES = np.frombuffer(b"ACGT", np.uint8)


def mutated(rng, bases, share):
    """Return bases `[L]` with a share of them substituted."""
    changed = bases.copy()
    place = rng.choice(len(bases), round(share * len(bases)), replace=False)
    changed[place] = BASES[(np.searchsorted(BASES, bases[place]) + rng.integers(1, 4, len(place))) % 4]
    return changed


def write_genome(path, contigs):
    """Write contigs as a FASTA and return its path."""
    path.write_text("".join(f">{name}\n{bases.tobytes().decode()}\n" for name, bases in contigs.items()))
    return str(path)
