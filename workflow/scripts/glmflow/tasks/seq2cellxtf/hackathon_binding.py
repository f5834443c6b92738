"""Files of the StatBiomed DNA-AI hackathon (task 2, Seq2CellxTF) as they are: two h5ad, MEME, `config.json`, FASTA."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from glmflow.binding.binding_data import BindingData
from glmflow.binding.h5ad_tables import Annotated, read_h5ad
from glmflow.binding.keys import key_of, require_once, some_of, split_key
from glmflow.binding.motif_files import motifs_of, read_motifs
from glmflow.binding.region_universe import Universe, by_key, subset
from glmflow.errors import InputError
from glmflow.genome.reference import Reference

CELL, TF = "Biosample term name", "Target of assay"
SPLIT_OF = {"val": "validation", "test": "test"}


class Trial(NamedTuple):
    """A `config.json`: contigs and keys that are held out, and the cells and TFs that are used (all where empty)."""

    regions: dict[str, list[str]]
    keys: dict[str, str]
    cells: list[str]
    tfs: list[str]


def read_trial(path: str | Path) -> Trial:
    """Read a `config.json`.

    Raises
    ------
    InputError
        It is no JSON of this layout, or a contig or key is named twice.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text())
        contigs, keys = content["seq"], content["celltype_TF"]
        regions = {SPLIT_OF[name]: [str(one) for one in contigs.get(name, [])] for name in SPLIT_OF}
        held_out = [(str(key), SPLIT_OF[name]) for name in SPLIT_OF for key in keys.get(name, [])]
        cells, tfs = (list(map(str, keys.get(name, []))) for name in ("all_ct", "all_tf"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f"no trial of the hackathon ({error})", where=path, fix="Give `seq` and `celltype_TF`."
        ) from None
    require_once([key for key, _ in held_out], "key", str(path))
    require_once([one for names in regions.values() for one in names], "contig", str(path))
    return Trial(regions, dict(held_out), cells, tfs)


def read_hackathon(
    chip: str | Path, rna: str | Path, motifs: str | Path, fasta: str | Path, trial: str | Path
) -> BindingData:
    """Read the files of a trial.

    The order is the original's: TFs and cells of the trial, then regions and then samples without a positive leave; a key is
    bound where a replicate binds. Unlike there, keys are sorted, sequences are upper case, and cells get no components from
    samples of test cells (see `cell_features`).

    Raises
    ------
    InputError
        A column is missing, a count is above 1, regions overlap, a key of the trial is not there, a cell has no RNA or a TF
        no motif: named and counted.
    """
    choice = read_trial(trial)
    peaks = read_h5ad(chip)
    regions, labels = _regions(peaks, chip), _labels(peaks, chip)
    missing = [name for name in (CELL, TF) if name not in peaks.obs]
    if missing:
        raise InputError(f"obs lacks {', '.join(missing)}", where=chip, fix="Give the hackathon's file.")
    samples = pd.DataFrame({"cell": peaks.obs[CELL].astype(str), "tf": peaks.obs[TF].astype(str)}).reset_index(
        drop=True
    )
    if choice.cells:
        wanted = samples["cell"].isin(choice.cells).to_numpy()
        samples, labels = samples[wanted].reset_index(drop=True), labels[wanted]
    part, used = subset(Universe(regions, labels), samples, None, choice.tfs or None)
    samples = samples[used]
    names, found = by_key(part.labels, [key_of(*pair) for pair in zip(samples["cell"], samples["tf"])])
    absent = [key for key in choice.keys if key not in names]
    if absent:
        raise InputError(
            f"{len(absent)} keys are not in {Path(chip).name}: {some_of(absent)}", where=trial, fix="Correct it."
        )
    keys = pd.DataFrame([(name, *split_key(name)) for name in names], columns=["key", "cell", "tf"])
    genome = Reference(fasta)
    sequences = [genome.fetch(row.chrom, row.start, row.end).tobytes().decode() for row in part.regions.itertuples()]
    splits = np.full(len(part.regions), "train", object)
    for name, contigs in choice.regions.items():
        splits[part.regions["chrom"].isin(contigs).to_numpy()] = name
    expression = read_expression(rna)
    without = sorted(set(keys["cell"]) - set(expression.index.get_level_values("cell")))
    if without:
        what = f"{len(without)} cells without RNA: {some_of(without)}"
        raise InputError(what, where=rna, fix="Leave them out with `all_ct`, or give their RNA.")
    return BindingData(
        regions=part.regions.assign(sequence=sequences),
        keys=keys,
        labels=found,
        motifs=motifs_of(sorted(set(keys["tf"])), read_motifs(motifs)),
        expression=expression,
        splits=splits,
        held_out=choice.keys,
        notes={"ChIP-seq samples": len(samples), "keys": len(keys), "regions": len(part.regions)},
    )


def read_expression(path: str | Path) -> pd.DataFrame:
    """Return log1p of TPM, samples (index: `cell`, `sample`) x all genes: symbols, ids of genes without one or with another's."""
    rna = read_h5ad(path)
    for table, name in ((rna.obs, "term_name"), (rna.var, "gene_symbol")):
        if name not in table:
            raise InputError(f"no column {name}", where=path, fix="Give the hackathon's file.")
    values = rna.matrix.toarray() if sparse.issparse(rna.matrix) else rna.matrix
    index = pd.MultiIndex.from_arrays(
        [rna.obs["term_name"].astype(str), rna.obs.index.astype(str)], names=["cell", "sample"]
    )
    symbols, ids = rna.var["gene_symbol"], rna.var.index.to_series()
    names = symbols.where(symbols.notna() & ~symbols.duplicated(), ids).astype(str).to_numpy()
    return pd.DataFrame(np.log1p(np.asarray(values, np.float64)), index=index, columns=names)


def _regions(peaks: Annotated, path: str | Path) -> pd.DataFrame:
    missing = [name for name in ("chr", "start", "end") if name not in peaks.var]
    if missing:
        raise InputError(f"var lacks {', '.join(missing)}", where=path, fix="Give the hackathon's file.")
    table = peaks.var.reset_index(drop=True)
    regions = table[["chr", "start", "end"]].rename(columns={"chr": "chrom"})
    regions = regions.astype({"chrom": str, "start": np.int64, "end": np.int64})
    same = regions["chrom"].to_numpy()[1:] == regions["chrom"].to_numpy()[:-1]
    again = regions["chrom"].where(np.append(True, ~same)).dropna().duplicated()  # a contig that comes back
    wrong = np.flatnonzero(same & (regions["start"].to_numpy()[1:] < regions["end"].to_numpy()[:-1]))
    wrong = np.sort(np.append(wrong, again.index[again].to_numpy(np.int64) - 1))
    if len(wrong):
        row = regions.iloc[wrong[0] + 1]
        what = f"{len(wrong):,} regions overlap the one before or are out of order, first {row.chrom}:{row.start}-{row.end}"
        raise InputError(what, where=path, fix="Sort and merge them.")
    return regions


def _labels(peaks: Annotated, path: str | Path) -> np.ndarray:
    matrix = peaks.matrix
    values = matrix.data if sparse.issparse(matrix) else np.asarray(matrix)
    if values.dtype != bool and not np.isin(np.unique(values), (0, 1)).all():
        raise InputError(f"values up to {values.max():g}", where=path, fix="Give labels of 0 and 1, not counts.")
    return (matrix.toarray() if sparse.issparse(matrix) else matrix).astype(bool)
