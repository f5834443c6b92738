"""Fit a model to personal expression, from a run's settings to its model folder, and predict people with it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader

from glmflow.config.adaptations import Adaptation
from glmflow.config.tasks import Snp2gex
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.common import CommonVariants
from glmflow.genome.distinct import describe_saving
from glmflow.genome.gene_windows import GeneWindows
from glmflow.genome.haplotypes import HaplotypeReader
from glmflow.genome.reference import Reference
from glmflow.genome.variants import open_store
from glmflow.models import load_model, new_model
from glmflow.models.adapter import Adapter
from glmflow.models.heads import ExpressionHead

from .checkpoints import fingerprint, table_digest
from .cost import conclude, peak_memory_mb
from .distributed import is_first, processes, rank
from .finetune import adapt, context_warning, starting_model
from .fit import checkpoints_of, fit, refuse_known_failure
from .frozen_states import StateStore, compute, fill, open_states
from .mutation import variant_effects
from .parts import Parts
from .personal_data import Gene, PersonalGenes, PersonalWindows, collate, genes_of
from .personal_losses import personal_loss
from .personal_model import PersonalEvaluation, PersonalModel, predict_haplotypes
from .resources import sequences_at_once
from .stream import ExampleList, ExampleStream

log = logging.getLogger(__name__)

GENES_OF_A_PART = 20
"""Predicted between two times that a prediction is kept."""
LEAST_WITHIN = 0.01
"""Of the mean variance between people: a gene in which next to no one differs does not count for more."""


def open_windows(task: Mapping[str, Any], store: str, reference: str, examples: pd.DataFrame) -> PersonalWindows:
    """Return the haplotypes of a task's genes, from a variant store and the genome it was built with.

    Where a task leaves rare variants out, they are those that are rare among its training people.
    """
    variants = open_store(store)
    if task.get("min_maf"):
        variants = common_variants(store, examples, task["min_maf"])
    reader = HaplotypeReader(variants, Reference(reference), task["variants"])
    return PersonalWindows(GeneWindows(reader), task["control"] == "reference")


def common_variants(store: str | Path, examples: pd.DataFrame, min_maf: float) -> CommonVariants:
    """Return the variants of a cohort that are common among the training people of a task."""
    training = sorted(examples.loc[examples["split"] == "train", "sample"].unique())
    return CommonVariants(store, training, min_maf)


def finetune_files(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    store: str,
    reference: str,
    checkpoint: Path | str | None,
    folder: Path,
    states: Path | None = None,
) -> None:
    """Train as `finetune` does, on the haplotypes of a variant store: every process opens its files itself."""
    windows = open_windows(settings["task"], store, reference, examples)
    finetune(settings, examples, windows, checkpoint, [reference, store], folder, states)


def finetune(
    settings: Mapping[str, Any],
    examples: pd.DataFrame,
    windows: PersonalWindows,
    checkpoint: Path | str | None,
    files: Sequence[str | Path],
    folder: Path,
    states: Path | None = None,
) -> None:
    """Train a model on the training genes and people of a task and save it in `folder/model`.

    Parameters
    ----------
    settings
        Resolved settings of the run.
    examples
        Examples table: a row a gene and person.
    windows
        Haplotypes of the cohort.
    checkpoint
        Model folder to start from; None for a model from random weights.
    files
        What the haplotypes are made of, for the identity of the run.
    folder
        Run folder; gets `model/`, `metrics.jsonl`, `cost.json` and, while training, `checkpoints/`.
    states
        Folder in which runs share the states of frozen backbones; one in the run folder where None.

    Raises
    ------
    InputError
        Nothing to learn from.
    """
    task = Snp2gex.model_validate(settings["task"])
    adaptation = Adaptation.model_validate(settings["adaptation"])
    training, personal, seed = adaptation.train, adaptation.personal, int(settings["seed"])
    torch.manual_seed(seed)
    genes = list(genes_of(examples))
    learned = [gene.keep(gene.split == "train") for gene in genes if (gene.split == "train").sum() > 1]
    if not learned:
        raise InputError("no gene has two training people", where="examples", mend="Change the splits.")
    units = spread_of(learned)
    updates = training.steps or max(1, round(training.epochs * len(learned) / training.batch))
    identity = {
        "settings": dict(settings),
        "examples": table_digest(examples),
        "files": fingerprint([*files, *([checkpoint] if checkpoint else [])]),
    }
    refuse_known_failure(checkpoints_of(folder, training, updates, seed, identity))  # before a model is loaded
    adapter = starting_model(settings["model"], checkpoint, seed, training.compute_dtype)
    if adaptation.weights == "random":
        family, config = adapter.card.family, adapter.config
        adapter = new_model(family, config, seed=seed, compute_dtype=training.compute_dtype)
    warnings = context_warning(adapter, task.windows.size)
    coverage = adapt(adapter, adaptation)
    frozen = adaptation.kind == "probe"
    model = PersonalModel(
        adapter,
        ExpressionHead(adapter.card.hidden_size, adaptation.head.bins, adaptation.head.hidden),
        units["mean"],
        units["total"] ** 0.5,
        task.combine,
        personal_loss(personal.loss, units["between"], units["total"], personal.weight),
        frozen,
    )
    if frozen:
        model.to("cuda" if torch.cuda.is_available() else "cpu")
    kept = open_states(states or folder / "states", model) if frozen else None
    floor = LEAST_WITHIN * units["within"]
    train = PersonalGenes(
        *(learned, windows, [max(gene.target.var(), floor) for gene in learned], personal.people),
        *((0, False) if frozen else (personal.shift, training.reverse_complement)),
    )
    if frozen and (personal.shift or training.reverse_complement):
        warnings.append("frozen states are computed once: windows are neither shifted nor turned around")
    if kept is not None:
        used = (gene.keep(np.isin(gene.split, ("train", "validation"))) for gene in genes)
        sequences = (windows.haplotypes(gene).sequences for gene in used if len(gene.people))
        fill(kept, model, sequences, sequences_at_once(adaptation, task.windows.size), rank(), processes())
    batches = partial(collate, tokenize=partial(adapter.tokenize, chunk=True), kept=kept)
    evaluate = evaluation(genes, {gene.name for gene in learned}, windows, floor, batches, training.micro_batch)
    fitted = fit(
        model,
        ExampleStream(train, len(train), updates * training.batch, seed),
        batches,
        training,
        updates,
        folder,
        seed,
        evaluate,
        identity,
    )
    distinct, read = train.counted()
    if read:  # in this process, not in those of a data loader
        log.info("haplotypes learned from: %s", describe_saving(distinct, read))
    if not is_first():
        return
    conclude(folder, model, fitted, warnings, task.windows.size, coverage)
    save_personal_model(model, settings, folder / "model")


def spread_of(genes: Sequence[Gene]) -> dict[str, float]:
    """Return `mean`, and the variances `within` genes, `between` their means and in `total` of training targets.

    Where targets are standardised by gene, gene means are alike, and errors in them are measured by the variance within.
    """
    within = float(np.mean([gene.target.var() for gene in genes]))
    means = np.array([gene.target.mean() for gene in genes])
    if within == 0:
        raise InputError("no gene differs between training people", where="examples", mend="Look at the expression.")
    between = max(float(means.var()), within)
    return {"mean": float(means.mean()), "within": within, "between": between, "total": within + between}


def evaluation(
    genes: Sequence[Gene], seen: set[str], windows: PersonalWindows, floor: float, batches: Any, micro_batch: int
) -> PersonalEvaluation | None:
    """Return the evaluation on validation people and genes; None where there are none."""
    held_out = [gene.keep(gene.split == "validation") for gene in genes if (gene.split == "validation").sum() > 1]
    if not held_out:
        return None
    make = PersonalGenes(held_out, windows, [max(gene.target.var(), floor) for gene in held_out])
    loader = DataLoader(ExampleList(make, len(make)), batch_size=micro_batch, collate_fn=batches)
    return PersonalEvaluation(loader, ["seen" if gene.name in seen else "unseen" for gene in held_out])


def save_personal_model(model: PersonalModel, settings: Mapping[str, Any], folder: Path) -> None:
    """Write the tuned backbone, the head and what is needed to predict with them again."""
    with atomic_path(folder) as temporary:
        model.adapter.save(temporary)
        head = {name: value.detach().cpu().contiguous() for name, value in model.head.state_dict().items()}
        save_file(head, temporary / "head.safetensors")
        content = {"settings": settings, "offset": model.offset, "scale": model.scale}
        (temporary / "task.json").write_text(json.dumps(content, indent=2) + "\n")


def load_personal_model(folder: Path) -> tuple[PersonalModel, dict[str, Any]]:
    """Load what `save_personal_model` wrote, in evaluation mode, with the settings of its run."""
    stored = json.loads((folder / "task.json").read_text())
    adaptation = Adaptation.model_validate(stored["settings"]["adaptation"])
    # Frozen states are those that the head was trained on: computed in the same type.
    compute_dtype = adaptation.train.compute_dtype if adaptation.kind == "probe" else None
    adapter: Adapter = load_model(folder, compute_dtype=compute_dtype)
    head = ExpressionHead(adapter.card.hidden_size, adaptation.head.bins, adaptation.head.hidden)
    head.load_state_dict(load_file(folder / "head.safetensors"))
    combine = stored["settings"]["task"]["combine"]
    model = PersonalModel(adapter, head, stored["offset"], stored["scale"], combine, frozen=True)
    return model.eval(), stored["settings"]


class Predictor(NamedTuple):
    """A tuned model and how people are predicted with it.

    Attributes
    ----------
    settings
        Of its run.
    batch
        Sequences that are computed at a time.
    both_strands
        Whether sequences are read on both strands, as a model that was trained on both is.
    kept
        States of its backbone, where that is frozen.
    """

    model: PersonalModel
    settings: dict[str, Any]
    batch: int
    both_strands: bool
    kept: StateStore | None

    def people(self, sequences: NDArray[np.uint8], of_person: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict people `[P]` from distinct haplotypes `[D, L]` and who has which of them `[P, 2]`."""
        return person_values(self.model, sequences, of_person, self.batch, self.both_strands, self.kept)

    def carriers(self, sequences: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Predict people `[S]` who carry one of some sequences `[S, L]` twice."""
        return self.people(sequences, pairs(len(sequences)))


def load_predictor(model_folder: Path, states: Path) -> Predictor:
    """Load the model of a run; states of a frozen backbone are read where `states` has them, and kept there."""
    model, settings = load_personal_model(model_folder)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    adaptation = Adaptation.model_validate(settings["adaptation"])
    frozen = adaptation.kind == "probe"
    return Predictor(
        model,
        settings,
        sequences_at_once(adaptation, settings["task"]["windows"]["size"]),
        adaptation.train.reverse_complement and not frozen,
        open_states(states, model) if frozen else None,
    )


def predict(
    model_folder: Path, examples: pd.DataFrame, windows: PersonalWindows, folder: Path, states: Path | None = None
) -> None:
    """Write `predictions.parquet` of everyone held out and `variants.tsv`, the effect of every variant they carry.

    Each distinct haplotype of a gene is computed once. A model that was trained on both strands is read on both. States of
    a frozen backbone are read where `states` (see `finetune`) has them and kept there. Genes are kept in parts below
    `folder` until all are done: a prediction that was killed goes on after the last part.
    """
    started = time.monotonic()
    tuned = load_predictor(model_folder, states or folder / "states")
    distinct = windows_read = 0

    def predict_genes(genes: Sequence[Gene]) -> list[pd.DataFrame]:
        nonlocal distinct, windows_read
        rows, variants = [NOBODY], []
        for gene in genes:
            held_out = gene.keep(gene.split != "train")
            if len(held_out.people):
                found = windows.haplotypes(held_out)
                distinct, windows_read = distinct + len(found.sequences), windows_read + found.of_person.size
                rows.append(pd.DataFrame({"example": held_out.example, "prediction": tuned.people(*found)}))
            variants.append(variant_effects(gene, windows, tuned.carriers))
        return [concatenated(rows), concatenated(variants)]

    parts = Parts(folder / ".parts", {"model": fingerprint([model_folder]), "examples": table_digest(examples)})
    genes, tables = list(genes_of(examples)), []
    for first in range(0, len(genes), GENES_OF_A_PART):
        some = genes[first : first + GENES_OF_A_PART]
        tables.append(parts.tables(first, partial(predict_genes, some)))
        log.info("predicted %d of %d genes", first + len(some), len(genes))
    log.info("haplotypes predicted: %s", describe_saving(distinct, windows_read))
    if tuned.kept is not None:
        tuned.kept.flush()
    rows, variants = map(concatenated, zip(*tables))
    write_table(rows, folder / "predictions.parquet")
    write_table(variants, folder / "variants.tsv")
    with atomic_path(folder / "prediction.json") as temporary:
        cost = {
            "predict_seconds": round(time.monotonic() - started, 1),
            "predict_peak_memory_mb": round(peak_memory_mb(), 1),
        }
        temporary.write_text(json.dumps(cost) + "\n")
    parts.remove()


NOBODY = pd.DataFrame({"example": pd.Series(dtype=object), "prediction": pd.Series(dtype=float)})


def concatenated(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables, of which the empty ones (they know no types) count only where all are empty."""
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def pairs(n: int) -> NDArray[np.int64]:
    """Return people who carry one of `n` haplotypes twice, `[n, 2]`."""
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


def person_values(
    model: PersonalModel,
    sequences: NDArray[np.uint8],
    of_person: NDArray[np.int64],
    batch: int,
    both_strands: bool,
    kept: StateStore | None = None,
) -> NDArray[np.float64]:
    """Return the predictions of people `[P]` from distinct haplotypes `[D, L]` and who has which of them `[P, 2]`.

    The same haplotypes in another order, as another file may give them, have the same values to the last bit: they are
    computed in the order of their bases.
    """
    order = sorted(range(len(sequences)), key=lambda number: sequences[number].tobytes())
    sequences, of_person = sequences[order], np.argsort(order)[of_person]
    if kept is None:
        states = predict_haplotypes(model, list(sequences), batch, both_strands)
    else:
        compute(kept, model, sequences, batch)
        states = kept(sequences)[:, None].to(model.adapter.device)
    carriers = torch.from_numpy(of_person).to(states.device)
    with torch.no_grad():
        strands = [model.people(states[:, strand], carriers) for strand in range(states.shape[1])]
    return torch.stack(strands).double().mean(0).cpu().numpy()
