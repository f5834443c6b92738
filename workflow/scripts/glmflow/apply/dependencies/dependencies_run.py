"""A run of `glmflow dependencies`: sequence by sequence, each kept as soon as it is done."""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmflow.apply.variants.variant_sources import LABELS, OWN_SEQUENCE
from glmflow.apply.variants.variants_run import Named, model_hash, named_models, open_model
from glmflow.effects.likelihood_model import LikelihoodModel
from glmflow.effects.pass_plan import timed
from glmflow.errors import InputError
from glmflow.files import atomic_path, write_table
from glmflow.genome.column_names import plain_name
from glmflow.models.chunking import room
from glmflow.models.model_commands import read_fasta
from glmflow.models.tokenizers import clean
from glmflow.text_files import read_cells
from glmflow.training.parts import Parts

from .dependency_maps import DependencyMap, MapSettings, dependency_map, require_room
from .map_marks import Mark, read_marks
from .map_pictures import HOVERED, draw_map, hover_page
from .map_summaries import block_mean, strongest_pairs, summary

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Given:
    """A sequence, or a tile of one: its name, where the tile's map begins in it, and its bases with their context."""

    name: str
    file: str
    start: int
    codes: NDArray[np.uint8]


def read_sequences(arguments: argparse.Namespace) -> list[tuple[str, NDArray[np.uint8]]]:
    """Return name and bases of each sequence.

    Raises
    ------
    InputError
        Two have one name, or one is no sequence.
    """
    if arguments.fasta:
        records, where = read_fasta(arguments.fasta, rna=True), arguments.fasta
    else:
        records, where = _of_table(arguments.table), arguments.table
    found, seen = [], set()
    for name, text in records:
        if name in seen:
            raise InputError(f"two sequences named {name}", where=where, fix="Give each a name of its own.")
        seen.add(name)
        try:
            found.append((name, clean(text)))
        except InputError as error:
            raise InputError(f"sequence {name}: {error.what}", where=where, fix=error.fix) from None
    return found


def _of_table(path: Path) -> list[tuple[str, str]]:
    """Return name and sequence of each row."""
    table = read_cells(path)
    plain = {plain_name(name): name for name in reversed(list(table))}
    name = next((plain[one] for one in ("id", *LABELS) if one in plain), None)
    sequence = next((plain[one] for one in OWN_SEQUENCE["sequence"] if one in plain), None)
    if name is None or sequence is None:
        raise InputError(f"columns {', '.join(table)}", where=path, fix="Give columns id and sequence.")
    if table.empty:
        raise InputError("no sequence in it", where=path, fix="Give a row a sequence.")
    return list(zip(table[name].astype(str), table[sequence].astype(str)))


def safe_names(names: Sequence[str]) -> dict[str, str]:
    """Return a file name for each name: letters, digits, dot, dash and underscore; numbered where two become one."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "sequence"
        candidate, number = plain, 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{plain}_{number}"
        taken.add(candidate.lower())
        found[name] = candidate
    return found


def tiles(model: LikelihoodModel, name: str, codes: NDArray[np.uint8], context: int) -> list[tuple[str, int, NDArray]]:
    """Return a sequence whole, or cut into tiles that fit the model with `context` bases around each."""
    most = room(model.adapter)
    length = None if most is None else most * model.k
    if length is None or len(codes) <= length or not context:
        return [(name, 0, codes)]
    inside = (length - 2 * context) // model.k * model.k
    if inside < model.k:
        raise InputError(
            f"a context of {context} bp on both sides leaves nothing of the {length:,} bp that {model.name} takes",
            where="--context",
            fix="Give less.",
        )
    found = []
    for begin in range(0, len(codes) - 2 * context, inside):
        tile = codes[begin : begin + inside + 2 * context]
        found.append((f"{name}:{begin + context}-{begin + len(tile) - context}", begin, tile))
    return found


def run(arguments: argparse.Namespace) -> None:
    """Compute the maps of all sequences with each model."""
    sequences = read_sequences(arguments)
    models = named_models(arguments.model)
    for named in models:
        folder = arguments.output / named.name if len(models) > 1 else arguments.output
        _with_model(named, arguments, sequences, folder)


def _with_model(
    named: Named, arguments: argparse.Namespace, sequences: list[tuple[str, NDArray[np.uint8]]], folder: Path
) -> None:
    """Compute the maps of all sequences with one model."""
    model = open_model(named, arguments)
    settings = MapSettings(
        arguments.eps, arguments.measure, arguments.symmetric, arguments.context, arguments.frames, arguments.strands
    )
    cut = [tile for name, codes in sequences for tile in tiles(model, name, codes, settings.context)]
    files = safe_names([name for name, _, _ in cut])
    given = [Given(name, files[name], start, codes) for name, start, codes in cut]
    for one in given:
        if len(one.codes) <= 2 * settings.context:
            what = f"sequence {one.name} of {len(one.codes):,} bp has nothing inside a context of {settings.context}"
            raise InputError(what, where="--context", fix="Give less, or leave the sequence out.")
        require_room(model, one.codes, f"sequence {one.name}")
    passes = sum(planned_passes(model, one.codes, settings) for one in given)
    longest = max(len(one.codes) for one in given)
    log.info("%s: %d maps, %s passes", named.name, len(given), f"{passes:,}")
    if arguments.plan:
        rate = timed(model, min(longest, 1024))
        print(f"{named.name}: {len(given):,} maps: {passes:,} passes; at {rate:.3g} passes a second of "
              f"{min(longest, 1024):,} bp here about {passes / rate / 3600:.2g} hours")  # fmt: skip
        return
    marks, zoom = read_marks(arguments.marks), _zoom(arguments.zoom)
    identity = {
        "model": model_hash(named),
        "settings": asdict(settings),
        "precision": model.precision,
        "sequences": [[one.name, one.codes.tobytes().decode()] for one in given],
        "outputs": [arguments.keep, arguments.pictures, arguments.block_mean, arguments.zoom, str(arguments.marks)],
    }
    folder.mkdir(parents=True, exist_ok=True)
    parts = Parts(folder / "parts", identity)
    rows, pairs = [], []
    for number, one in enumerate(given):

        def make(number=number, one=one) -> list[pd.DataFrame]:
            found = dependency_map(model, one.codes, settings)
            _write(found, one, number, folder, arguments, settings, marks, zoom)
            row = pd.DataFrame([{"id": one.name, "model": named.name, "file": one.file, "start": one.start + settings.context,
                                 **summary(found.values, found.codes), "passes": found.passes}])  # fmt: skip
            return [row, strongest_pairs(found.values, found.codes).assign(id=one.name)]

        row, pair = parts.tables(number, make)
        rows.append(row)
        pairs.append(pair)
    write_table(pd.concat(rows, ignore_index=True), folder / "maps.parquet")
    whole = pd.concat(pairs, ignore_index=True)
    write_table(whole[["id", "i", "j", "base_i", "base_j", "value"]], folder / "pairs.parquet")
    with atomic_path(folder / "maps.json") as temporary:
        about = {"model": named.name, "model_sha256": identity["model"], "precision": model.precision, **asdict(settings),
                 "unit": unit(settings)}  # fmt: skip
        temporary.write_text(json.dumps(about, indent=1) + "\n")
    parts.remove()


def planned_passes(model: LikelihoodModel, codes: NDArray[np.uint8], settings: MapSettings) -> int:
    """Return how many sequences a map takes: 3 L + 1 a strand, as parts of the window where they share a beginning."""
    inside = codes[settings.context : len(codes) - settings.context]
    known = int((inside != ord("N")).sum())
    strands = 1 if model.masked and settings.strands == "forward" else 2
    frames = model.k if settings.frames == "all" else 1
    return frames * strands * (3 * known + 1 + (0 if model.masked else 1))


def unit(settings: MapSettings) -> str:
    """Return what a cell is, in words."""
    return "change of log2 odds" if settings.measure == "odds" else "change of log2 probability"


def _write(
    found: DependencyMap,
    one: Given,
    number: int,
    folder: Path,
    arguments: argparse.Namespace,
    settings: MapSettings,
    marks: Mapping[str, list[Mark]],
    zoom: tuple[int, int] | None,
) -> None:
    """Write the map of one sequence, and its pictures, as far as they are asked for."""
    if number < arguments.keep:
        path = folder / "maps" / f"{one.file}.npz"
        with atomic_path(path) as temporary:
            arrays = {
                "map": found.values.astype(np.float16),
                "probabilities": found.probabilities,
                "sequence": found.codes,
            }
            if arguments.block_mean:
                arrays["block_mean"] = block_mean(found.values, arguments.block_mean).astype(np.float16)
            np.savez_compressed(temporary, **arrays)
    if number < arguments.pictures:
        stem = folder / "pictures" / one.file
        stem.parent.mkdir(parents=True, exist_ok=True)
        shift = one.start + settings.context
        own = [Mark(mark.start - shift, mark.end - shift, mark.name) for mark in marks.get(one.name.split(":")[0], [])]
        own += [mark for mark in marks.get(one.name, []) if ":" in one.name]
        inside = zoom if zoom and zoom[1] <= len(found.codes) else None
        draw_map(found, stem, one.name, unit(settings), own, inside)
        if len(found.codes) <= HOVERED:
            hover_page(found, stem.with_name(f"{stem.name}.html"), one.name, unit(settings))


def _zoom(text: str | None) -> tuple[int, int] | None:
    """Return first and last base (excluded) of the zoom."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if not match or int(match[1]) >= int(match[2]):
        raise InputError(f"{text} is no stretch", where="--zoom", fix="Give START-END, from 0.")
    return int(match[1]), int(match[2])
