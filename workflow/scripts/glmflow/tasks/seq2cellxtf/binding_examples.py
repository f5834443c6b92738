"""The examples of a binding task: one a region, with the tables of keys, labels, motifs and cells beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.binding.binding_data import BindingData, region_names
from glmflow.binding.binding_tables import DRAW, DRAWS, Tables
from glmflow.binding.cell_features import principal_components, tf_expression
from glmflow.binding.key_splits import classify, split_keys, unlike_the_rest
from glmflow.binding.motif_similarity import tf_similarity
from glmflow.binding.protein_similarity import protein_similarity
from glmflow.binding.site_scores import site_scores
from glmflow.config.tasks.seq2cellxtf import Seq2CellXTf
from glmflow.dna.shuffles import eulerian_walks
from glmflow.errors import InputError
from glmflow.genome.homology import divided
from glmflow.genome.loci import blocks_of_chance, one_block
from glmflow.genome.packed import pack
from glmflow.genome.reference import Reference
from glmflow.genome.splits import assign_splits
from glmflow.labelled.composition import composition
from glmflow.tasks.tables import CLEAN, Division, Made, examples_table

from .binding_audit import binding_checks, copied_regions
from .hackathon_binding import read_hackathon
from .peak_binding import read_peak_binding, units_of
from .simulated_binding import simulate_binding

FEWEST = 10
"""Unrelated TFs that a permuted one is drawn from at least."""


def examples(task: Seq2CellXTf, files: Mapping[str, Any], division: Division) -> Made:
    """Return one example a region, with its sequence and split; `Tables` beside them.

    Raises
    ------
    InputError
        As the reader of the source; or a split has no region or no key.
    """
    data = read(task, files)
    if task.control == "shuffled_sequences":
        data = data._replace(regions=data.regions.assign(sequence=eulerian_walks(data.regions["sequence"].tolist(), 1)))
    split, lost = split_of_regions(task, data, files)
    used = np.flatnonzero(split != "")
    data = taken(data, used)
    split = split[used]
    units = units_of(data.motifs, data.families)
    keys = described(task, data, units)
    require_both(keys["split"], split)
    packed = pack(data.regions["sequence"])
    found = composition(packed)
    width = (data.regions["end"] - data.regions["start"]).to_numpy()
    table = data.regions.assign(
        example=region_names(data.regions),
        split=split,
        group=blocks_of_chance(data.regions, {} if data.splits is not None else task.splits.model_dump()),
        gc=found["gc"].to_numpy(),
        cpg_oe=found["cpg_oe"].to_numpy(),
        log_length=np.log(np.maximum(width, 1)),
        n_share=found["n_share"].to_numpy(),
        bound_keys=data.labels.sum(axis=0),
    )
    tables = tables_of(task, data, keys, units, packed)
    copies = copied_regions(data.regions, split)
    if len(copies):
        table[CLEAN] = (table["split"] != "train") & ~table["example"].isin(copies["example"])
    counts = [(item, value, "") for item, value in (data.notes | lost).items()]
    counts += one_block(table.loc[split == "test", "group"])
    counts += [(f"{name} regions", int((split == name).sum()), "") for name in ("train", "validation", "test")]
    counts += [(f"{name} keys", int((keys["split"] == name).sum()), "") for name in ("train", "validation", "test")]
    for kind, own in keys[keys["split"] == "test"].groupby("kind"):
        counts.append((f"test keys of kind {kind}", len(own), ""))
    if data.ambiguous is not None:
        scored = np.ix_(keys["split"] == "test", split == "test")
        counts.append(("ambiguous labels, neither learned nor scored", int(data.ambiguous.sum()), ""))
        counts.append(("ambiguous labels of test keys in test regions", int(data.ambiguous[scored].sum()), ""))
    if data.held_out is not None:
        counts += [(sentence, 1, "") for sentence in unlike_the_rest(keys)]
    return Made(
        examples_table(table),
        pd.DataFrame(counts, columns=["item", "count", "detail"]),
        binding_checks(data, keys, split, copies).table(),
        tables.files(),
        copies=copies,
    )


def read(task: Seq2CellXTf, files: Mapping[str, Any]) -> BindingData:
    """Return the data of the source that the settings name."""
    if task.hackathon:
        return read_hackathon(**task.hackathon.model_dump())
    if task.simulated:
        return simulate_binding(**task.simulated.model_dump())
    return read_peak_binding(task, files)


def split_of_regions(
    task: Seq2CellXTf, data: BindingData, files: Mapping[str, Any]
) -> tuple[NDArray[np.object_], dict[str, int]]:
    """Return the split of each region, empty between splits, and how many are lost there."""
    if data.splits is not None:
        return data.splits, {}
    genome = Reference(files["genome"])
    longest = int((data.regions["end"] - data.regions["start"]).max())
    splits = divided(task.splits.model_dump(), genome.contigs, genome.fetch, longest)
    assigned, lost = assign_splits(
        data.regions.assign(row=np.arange(len(data.regions))), splits, genome.contigs, longest
    )
    split = np.full(len(data.regions), "", object)
    split[assigned["row"].to_numpy()] = assigned["split"].to_numpy()
    return split, {f"regions left out: {name.replace('_', ' ')}": count for name, count in lost.items()}


def taken(data: BindingData, regions: NDArray[np.int64]) -> BindingData:
    """Return the data of some regions."""
    part = data._replace(regions=data.regions.iloc[regions].reset_index(drop=True), labels=data.labels[:, regions])
    if data.accessibility is not None:
        part = part._replace(accessibility=data.accessibility.iloc[:, regions])
    if data.ambiguous is not None:
        part = part._replace(ambiguous=data.ambiguous[:, regions])
    return part if data.truth is None else part._replace(truth=data.truth[:, regions])


def described(task: Seq2CellXTf, data: BindingData, units: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Return the table of keys: split, kind, family and cluster, and whose features describe each."""
    keys = data.keys.reset_index(drop=True)
    if data.held_out is None:
        split = split_keys(keys, task.keys.model_dump(), units)
    else:
        split = keys["key"].map(data.held_out).fillna("train")
    features = {"cell_features_of": keys["cell"].to_numpy(), "tf_features_of": keys["tf"].to_numpy()}
    for draw in range(1, 1 + task.control_draws):
        rng, number = np.random.default_rng(draw), "" if draw == 1 else f"_{draw}"
        if task.control == "permuted_cells":
            features[f"cell_features_of{number}"] = rng.choice(sorted(set(keys["cell"])), len(keys))
        if task.control == "permuted_tfs":
            features[f"tf_features_of{number}"] = unrelated(keys["tf"], units, rng)
    return keys.assign(
        split=split,
        **classify(keys, split, units),
        family=keys["tf"].map(units["family"]),
        cluster=keys["tf"].map(units["motif_cluster"]),
        bound=data.labels.sum(axis=1),
        **features,
    )


def redraw(examples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the examples of a control with the draw that a run of this seed is of: whose features describe each key."""
    return examples.assign(**{DRAW: 1 + (seed - 1) % DRAWS})


def unrelated(tfs: pd.Series, units: Mapping[str, Mapping[str, str]], rng: np.random.Generator) -> NDArray[np.object_]:
    """Return for each key a TF of another family and motif cluster, drawn; any one where there are fewer than `FEWEST` such.

    A draw from all TFs would leave a few of a hundred keys their own motif, or a sibling's; of few TFs that it is never one's
    own would tell whose it is. (Cells are drawn from all: of two keys a cell may as well get the other's features as its own,
    so that their order stays at a half.)
    """
    names = sorted(set(tfs))
    apart = {tf: [name for name in names if all(of[name] != of[tf] for of in units.values())] for tf in names}
    return np.array([rng.choice(apart[tf] if len(apart[tf]) >= FEWEST else names) for tf in tfs], object)


def require_both(keys: pd.Series, regions: NDArray[np.object_]) -> None:
    """Stop where a split has keys but no regions, or the reverse."""
    for name in ("train", "test", "validation"):
        own = bool((keys == name).any()), bool((regions == name).any())
        if own != (True, True) and (name != "validation" or any(own)):
            lacking = "key" if not own[0] else "region"
            raise InputError(
                f"the {name} split has no {lacking}", where="seq2cellxtf", fix="Hold out other keys or regions."
            )


def tables_of(
    task: Seq2CellXTf, data: BindingData, keys: pd.DataFrame, units: Mapping[str, Mapping[str, str]], packed: Any
) -> Tables:
    """Return everything that models and baselines are given beside sequences."""
    tfs, cells = sorted(data.motifs), sorted(set(keys["cell"]))
    found = site_scores(packed, {tf: data.motifs[tf] for tf in tfs})
    scores, margins = (dict(zip(tfs, values.T)) for values in found)
    alike = tf_similarity({tf: data.motifs[tf] for tf in tfs})
    positions = [
        (tf, motif.name, place, *row)
        for tf in tfs
        for motif in data.motifs[tf]
        for place, row in enumerate(motif.counts)
    ]
    return Tables(
        keys=keys,
        labels=places_of(data.labels),
        ambiguous=None if data.ambiguous is None else places_of(data.ambiguous),
        tfs=pd.DataFrame({
            "tf": tfs,
            "family": [units["family"][tf] for tf in tfs],
            "cluster": [units["motif_cluster"][tf] for tf in tfs],
            "motifs": [";".join(motif.name for motif in data.motifs[tf]) for tf in tfs],
        }),
        motifs=pd.DataFrame(positions, columns=["tf", "motif", "position", *"ACGT"]),
        samples=data.samples,
        similarity=alike.rename_axis("tf").reset_index(),
        proteins=None
        if data.proteins is None
        else protein_similarity(data.proteins, tfs).rename_axis("tf").reset_index(),
        scores=pd.DataFrame(scores),
        margins=pd.DataFrame(margins),
        cells=cell_table(task, data, keys, cells).rename_axis("cell").reset_index(),
        tf_expression=tf_table(data, tfs, cells).rename_axis("cell").reset_index(),
        accessibility=None if data.accessibility is None else data.accessibility.loc[cells].T.reset_index(drop=True),
        truth=None if data.truth is None else pd.DataFrame(data.truth.T, columns=keys["key"].tolist()),
    )  # fmt: skip


def places_of(matrix: NDArray[np.bool_]) -> pd.DataFrame:
    """Return `key` and `region` (rows) of what is true of a matrix `[keys, regions]`."""
    key, region = np.nonzero(matrix)
    return pd.DataFrame({"key": key.astype(np.int32), "region": region.astype(np.int32)})


def cell_table(task: Seq2CellXTf, data: BindingData, keys: pd.DataFrame, cells: list[str]) -> pd.DataFrame:
    """Return the features of cells: those that are given, or components that training cells are fitted on."""
    if data.components is not None:
        return data.components.loc[cells]
    if data.expression is None or not task.components:
        return pd.DataFrame(index=pd.Index(cells, name="cell"))
    held_out = set(cells) - set(keys["cell"][keys["split"] == "train"])
    known = set(data.expression.index.get_level_values("cell")) - held_out
    return principal_components(data.expression, task.components, known).loc[cells]


def tf_table(data: BindingData, tfs: list[str], cells: list[str]) -> pd.DataFrame:
    """Return the expression of TFs in cells; NaN where it is not known."""
    if data.expression is None:
        return pd.DataFrame(np.nan, index=pd.Index(cells, name="cell"), columns=tfs)
    return tf_expression(data.expression, tfs).loc[cells]
