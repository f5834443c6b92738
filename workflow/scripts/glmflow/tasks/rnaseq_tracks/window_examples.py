"""The examples of a coverage task: overlapping windows along the genome, each in one split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from glmflow.config.tasks.rnaseq_tracks import RnaseqTracks
from glmflow.genome.reference import Reference
from glmflow.genome.splits import assign_splits, require_disjoint, used_contigs
from glmflow.genome.windows import filter_windows, make_windows
from glmflow.tasks.tables import Checks, Division, Made, counts_table, examples_table

from .labelled_part import is_labelled

ITEMS = {
    "n_rich": "windows with too many N",
    "blacklisted": "windows in blacklisted regions",
    "pseudoautosomal": "windows in the pseudoautosomal regions of Y (copies of X)",
    "between_splits": "windows between two splits",
    "other_contig": "windows on contigs of no split",
    "unlabelled": "training windows without labels",
}


def examples(task: RnaseqTracks, files: Mapping[str, Any], division: Division) -> Made:
    """Tile the genome, leave out what cannot be used, and give every window its split.

    Parameters
    ----------
    files
        `fasta`, and where given `blacklist`: BED of regions to leave out.
    division
        How the genome is split, and the contigs that are used.

    Raises
    ------
    InputError
        A contig is not in the genome, a split has no window, or two splits share a base.
    """
    reference = Reference(files["fasta"])
    lengths = used_contigs(reference.contigs, division.contigs, division.alternates)
    tiled = make_windows(lengths, task.windows.size, task.windows.overlap)
    usable, left_out = filter_windows(
        tiled, reference, task.windows.max_n_fraction, files.get("blacklist") or None, division.alternates
    )
    assigned, outside = assign_splits(usable, division.splits, lengths, division.size)
    labelled = is_labelled(assigned, task.labelled and task.labelled.model_dump())
    if not labelled.all():
        outside |= {"unlabelled": int((~labelled).sum())}
    assigned = assigned[labelled].reset_index(drop=True)
    shared = require_disjoint(assigned)
    counts = {"windows used": len(assigned)}
    counts |= {ITEMS.get(reason, reason): count for reason, count in (left_out | outside).items()}
    bases = assigned.groupby("split").apply(lambda part: int((part["end"] - part["start"]).sum()), include_groups=False)
    checks = Checks()
    for row in shared.itertuples():
        checks.add(f"bases shared by {row.split_a} and {row.split_b}", row.bases, int(bases[row.split_b]))
    return Made(examples_of(assigned), counts_table(counts), checks.table())


def examples_of(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the examples table of windows (`chrom`, `start`, `end`, `split`)."""
    names = windows["chrom"].astype(str) + ":" + windows["start"].astype(str) + "-" + windows["end"].astype(str)
    return examples_table(windows.assign(example=names, group=windows["chrom"]))
