"""Variants that a cohort carries near genes, with what runs that learned from expression predict of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from glmflow.config.allele_sources import Carried
from glmflow.errors import InputError
from glmflow.files import read_table
from glmflow.tasks.tables import examples_table

from .effect_examples import EffectExamples, completed

KEYS = ["gene", "variant"]


def carried_variants(folders: Mapping[str, Path], truth: Path | None, settings: Carried) -> EffectExamples:
    """Return a row a gene and variant of its window: the effect that is compared, and those of all runs.

    Parameters
    ----------
    folders
        `predicted` folder of each run by the column that its effects become. Its `variants.tsv` has `gene`, `variant`,
        `chrom`, `pos` (0-based), `ref`, `alt`, `maf`, `dosage_sd`, `carriers` and `effect`, of one copy.
    truth
        Folder of the simulation's truth; a variant that it does not list does nothing.

    Raises
    ------
    InputError
        A run predicts no effects of variants, or none that are common enough.
    """
    tables = {name: _effects_of(name, Path(folder)) for name, folder in folders.items()}
    table = pd.concat([one.drop(columns="effect") for one in tables.values()]).drop_duplicates(KEYS)
    for name, one in tables.items():
        table = table.merge(one[[*KEYS, "effect"]].rename(columns={"effect": name}), on=KEYS, how="left")
    if truth is not None:
        table = table.merge(_true_effects(truth), on=KEYS, how="left").fillna({"truth": 0.0})
    table["target"] = table[settings.target]
    rare, unknown = table["maf"] < settings.min_maf, table["target"].isna()
    left_out = +Counter({"too_rare": int(rare.sum()), "no_target": int((unknown & ~rare).sum())})
    kept = table[~rare & ~unknown].sort_values(["chrom", "pos", "ref", "alt", "gene"]).reset_index(drop=True)
    if kept.empty:
        raise InputError(
            "no variant that the cohort carries is left", where="carried", fix="Lower `min_maf`, or name other runs."
        )
    kept = kept.rename(columns={"pos": "start", "maf": "frequency"}).assign(group=kept["gene"], element=kept["gene"])
    return EffectExamples(examples_table(completed(kept.drop(columns=KEYS))), left_out)


def trained_windows(alleles: pd.DataFrame, trained: Sequence[str]) -> pd.DataFrame:
    """Return `chrom`, `start`, `end`, `split` of alleles, and of what runs have learned from.

    Parameters
    ----------
    trained
        Examples tables of the runs' tasks. Alleles that lie in a window of their training split have no split here.
    """
    columns = ["chrom", "start", "end"]
    tables = [pd.read_parquet(path, columns=[*columns, "split"]) for path in trained]
    empty = alleles[[*columns, "split"]].iloc[:0]
    learned = pd.concat([empty, *(table[table["split"] == "train"] for table in tables)]).drop_duplicates()
    inside = np.zeros(len(alleles), bool)
    for chrom, own in learned.groupby("chrom", sort=False):
        starts, reach = (
            np.sort(own["start"].to_numpy()),
            np.maximum.accumulate(own.sort_values("start")["end"].to_numpy()),
        )
        place = np.searchsorted(starts, alleles["start"].to_numpy(), "right") - 1
        here = (alleles["chrom"] == chrom).to_numpy() & (place >= 0)
        inside |= here & (reach[np.maximum(place, 0)] > alleles["start"].to_numpy())
    own = alleles[[*columns, "split"]].assign(split=np.where(inside, "", alleles["split"]))
    return pd.concat([own, learned], ignore_index=True)


def _effects_of(name: str, folder: Path) -> pd.DataFrame:
    """Return the table of variants that a run has left."""
    path = folder / "variants.tsv"
    if not path.exists():
        raise InputError(
            f"run {name} predicts no effects of variants",
            where=path,
            fix="Name a run that predicts expression from sequence or from genotypes.",
        )
    table = read_table(path)
    wanted = [*KEYS, "chrom", "pos", "ref", "alt", "maf", "dosage_sd", "carriers", "effect"]
    lacking = [column for column in wanted if column not in table]
    if lacking:
        raise InputError(f"no column {', '.join(lacking)}", where=path, fix="Run it again.")
    table = table[wanted].astype({"gene": str, "chrom": str, "pos": np.int64})
    return table.drop_duplicates(KEYS)


def _true_effects(folder: Path) -> pd.DataFrame:
    """Return the effect of each variant that acts on the expression of a gene, in the simulation's first biosample."""
    found = read_table(folder / "variants.tsv")
    effect = next(name for name in found if name.startswith("effect_"))
    places = zip(found["chrom"], found["pos"], found["ref"], found["alt"])
    names = [f"{chrom}:{pos}:{ref}:{alt}" for chrom, pos, ref, alt in places]
    table = pd.DataFrame({"gene": found["gene_id"].astype(str), "variant": names, "truth": found[effect]})
    return table.groupby(KEYS, as_index=False)["truth"].sum()
