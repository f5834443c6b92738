"""A run of `glmflow variants`: look at the file, score it with each model, write."""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import logging
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch

from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.null_scores import SITES, Nulls, comparable, indel_scores, neutral_scores, neutral_sites
from glmflow.effects.pass_plan import planned, timed
from glmflow.effects.score_catalogue import SCORES, Asked, asked, why_not
from glmflow.effects.score_runs import Columns, KeptScores, beside, identity, score_parts
from glmflow.effects.scored_edits import Settings
from glmflow.errors import InputError
from glmflow.genome.edit_sets import Source
from glmflow.genome.first_look import FirstLook, look, require_matching
from glmflow.genome.intervals import read_intervals
from glmflow.genome.reasons import described
from glmflow.genome.reference import Reference
from glmflow.genome.stretches import Genome
from glmflow.models import load_model
from glmflow.models.loading import find_folder
from glmflow.models.weights import file_hashes
from glmflow.training.parts import Parts

from .effect_fields import ModelNote
from .effect_tables import write_scores
from .effect_vcf import write_score_vcf
from .variant_sources import BedSource, TableSource, VcfSource
from .vcf_writer import identifier, require_new

log = logging.getLogger(__name__)

SOMETIMES = 30.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True)
class Named:
    """A model as the command names it: its name in outputs, and its folder or id."""

    name: str
    folder: str


def named_models(given: list[str]) -> list[Named]:
    """Return names and folders of `[NAME=]FOLDER`; a name is the folder's, or of `…/MODEL/seedN` the model's."""
    found = []
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals:
            folder = text.rstrip("/")
            parts = [part for part in Path(folder).parts if not re.fullmatch(r"model|seed\d+", part)]
            name = parts[-1] if parts else folder
        found.append(Named(name, folder))
    names = Counter(one.name for one in found)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise InputError(f"two models named {twice[0]}", where="--model", fix="Name them: --model NAME=FOLDER.")
    return found


def open_model(named: Named, arguments: argparse.Namespace) -> LikelihoodModel:
    """Load a model onto the device there is."""
    adapter = load_model(named.folder, arguments.family, arguments.dtype)
    adapter.to("cuda" if torch.cuda.is_available() else "cpu")
    return LikelihoodModel(adapter, named.name, arguments.batch, getattr(arguments, "layer", None))


def model_hash(named: Named) -> str:
    """Return one SHA-256 of all weight files of a model."""
    hashes = file_hashes(find_folder(named.folder))
    return hashlib.sha256("".join(f"{name}:{digest};" for name, digest in sorted(hashes.items())).encode()).hexdigest()


def list_scores(arguments: argparse.Namespace) -> None:
    """Print the scores that each model has, those taken by default, and why it lacks the others."""
    for named in named_models(arguments.model):
        model = open_model(named, arguments)
        default = asked(model, None)
        print(
            f"{named.name}: by default {', '.join(default.equal)}; insertions and deletions {', '.join(default.changed)}"
        )
        for name, score in SCORES.items():
            reason = why_not(name, model)
            print(f"  {name:<13} {score.words}" if reason is None else f"  {name:<13} no: {reason[1]}")


def source_of(arguments: argparse.Namespace, genome: Reference | None) -> Source:
    """Return the variants of a VCF, or of intervals."""
    if arguments.vcf:
        return VcfSource(arguments.vcf, arguments.symbolic)
    return BedSource(arguments.bed, genome)


def settings_of(model: LikelihoodModel, arguments: argparse.Namespace) -> Settings:
    """Return how a model scores; a window beyond its context is refused."""
    window = arguments.window or model.default_window()
    most = model.adapter.card.context_bp
    if most is not None and model.kind != "bpe" and window > most:
        fix = f"Give at most {most:,}, or extend the model."
        raise InputError(f"{model.name} takes {most:,} bases", where=f"--window {window}", fix=fix)
    if arguments.share > window // 2:
        raise InputError("more than half of the window", where=f"--share {arguments.share}", fix="Give less.")
    return Settings(window, arguments.edges, arguments.share, arguments.mnv, arguments.frames)


def run(arguments: argparse.Namespace) -> None:
    """Look at the variants, score them with each model, write the output."""
    models = named_models(arguments.model)
    table = TableSource(arguments.table) if arguments.table else None
    if arguments.fasta is None and not (table and table.own_sequences):
        raise InputError("no genome", where="--fasta", fix="Give the genome that the variants lie on.")
    genome = Reference(arguments.fasta) if arguments.fasta else None
    source = table or source_of(arguments, genome)
    if table and table.own_sequences:
        genome = None
    if _writes_vcf(arguments):
        require_new(source.header, source.path, beginnings=[f"GLM_{identifier(named.name)}_" for named in models])
    found = look(source, genome, arguments.symbolic, far=(arguments.window or 512) + 1)
    log.info("%s: %s records, %s alleles", source.path, f"{found.records:,}", f"{found.alleles:,}")
    require_matching(found, genome or _Sequences(), source.path, arguments.most_mismatches, arguments.strict)
    if arguments.plan:
        for named in models:
            _plan(named, arguments, found)
        return
    folder = arguments.output.with_name(f"{arguments.output.name}.parts")
    notes, kept = [], []
    for named in models:
        note, parts = _score(named, arguments, source, genome, found, folder, alone=len(models) == 1)
        notes.append(note)
        kept.append((named.name, KeptScores(parts, note.columns)))
    rows = beside(source, genome, kept, arguments.symbolic)
    if _writes_vcf(arguments):
        write_score_vcf(arguments.output, source.header, notes, rows, source.path)
    else:
        write_scores(arguments.output, notes, rows)
    Parts(folder, {}).remove()


def _writes_vcf(arguments: argparse.Namespace) -> bool:
    return arguments.output.name.endswith((".vcf", ".vcf.gz"))


class _Sequences:
    """The contigs of a table that brings its sequences: none that could be missing."""

    contigs: dict[str, int] = {}  # noqa: RUF012


def _score(
    named: Named,
    arguments: argparse.Namespace,
    source: Source,
    genome: Genome | None,
    found: FirstLook,
    folder: Path,
    alone: bool,
) -> tuple[ModelNote, Parts]:
    """Score all variants with one model; return what the output says of it, and its parts."""
    model = open_model(named, arguments)
    scores = asked(model, arguments.score.split(",") if arguments.score else None, alone)
    settings = settings_of(model, arguments)
    hashed = model_hash(named)
    compared = {
        "calibrate": None if arguments.calibrate is None else str(arguments.calibrate.resolve()),
        "length_matched": arguments.length_matched,
        "seed": arguments.seed,
        "symbolic": arguments.symbolic,
        "precision": model.precision,
        "layer": model.layer,
        "batch": model.batch,
    }
    whole = identity(hashed, source, arguments.fasta, settings, scores, **compared)
    root = folder / named.name
    nulls = _nulls(model, arguments, genome, found, scores, settings, root, whole)
    parts = Parts(root / "scores", whole)
    progress = _Progress(model.name, found.alleles)
    try:
        counts = score_parts(
            model, source, genome, scores, settings, parts,
            found=found, nulls=nulls, symbolic=arguments.symbolic, progress=progress,
        )  # fmt: skip
    except torch.OutOfMemoryError:
        fix = "Give a smaller --batch or --window; the parts that are done are kept."
        raise InputError(f"{model.name}: the GPU's memory is full", where="--batch", fix=fix) from None
    without = sum(count for reason, count in counts.items() if reason)
    log.info("%s: %s alleles scored, %s with a reason instead (%s passes, %.0f s)", model.name,
             f"{found.alleles - without:,}", f"{without:,}", f"{model.passes:,}", progress.seconds)  # fmt: skip
    for line in described(counts):
        log.info("  %s", line)
    columns = Columns(scores.names, nulls.names if nulls else ())
    words = (
        f"window {settings.window} bp ({settings.edges}); {model.precision}; {model.adapter.card.family}; "
        f"model sha256 {hashed}; glmflow {_version()}"
    )
    return ModelNote(named.name, columns, arguments.strands, words), parts


def _nulls(
    model: LikelihoodModel,
    arguments: argparse.Namespace,
    genome: Genome | None,
    found: FirstLook,
    scores: Asked,
    settings: Settings,
    root: Path,
    whole: dict,
) -> Nulls | None:
    """Score neutral sites and random indels, as far as they are asked for."""
    if not arguments.calibrate and not arguments.length_matched:
        return None
    if genome is None:
        raise InputError("random places need a genome", where="--length-matched", fix="Give --fasta.")
    nulls = Nulls()
    names = comparable(scores, changed=False)
    if arguments.calibrate and names:
        places = neutral_sites(genome, read_intervals(arguments.calibrate, genome.contigs), SITES, arguments.seed)
        log.info("%s: %s neutral sites of %d 5-mers", model.name, f"{sum(map(len, places.values())):,}", len(places))
        nulls.calibrated = names
        nulls.neutral = neutral_scores(model, genome, places, names, settings, Parts(root / "neutral", whole))
    names = comparable(scores, changed=True)
    if arguments.length_matched and names and found.lengths:
        nulls.matched = names
        parts = Parts(root / "indels", whole)
        nulls.indels = indel_scores(
            model, genome, list(found.lengths), names, settings, arguments.length_matched, parts, arguments.seed
        )
    return nulls


def _plan(named: Named, arguments: argparse.Namespace, found: FirstLook) -> None:
    """Print how many passes a model makes, and about how long they take here."""
    model = open_model(named, arguments)
    scores = asked(model, arguments.score.split(",") if arguments.score else None, len(arguments.model) == 1)
    settings = settings_of(model, arguments)
    passes = planned(model, found, scores, settings)
    tokens = settings.window // model.k
    rate = timed(model, settings.window)
    print(f"{named.name}: {', '.join(scores.names)}: {passes:,.0f} passes of {tokens:,} tokens; "
          f"at {rate:.3g} passes a second here about {passes / rate / 3600:.2g} hours")  # fmt: skip


@dataclass
class _Progress:
    """Says now and then how far a run is."""

    name: str
    total: int
    seconds: float = 0.0
    said: float = 0.0

    def __call__(self, done: int, seconds: float) -> None:
        self.seconds += seconds
        now = time.monotonic()
        if now - self.said > SOMETIMES:
            self.said = now
            log.info("%s: %s of %s alleles", self.name, f"{done:,}", f"{self.total:,}")


def _version() -> str:
    """Return the version of the package, or that it is not installed."""
    try:
        return importlib.metadata.version("glmflow")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
