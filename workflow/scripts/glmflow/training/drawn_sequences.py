"""Sequences drawn part by part, each screened in memory before it is kept: a run that was stopped goes on where it was."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from glmflow.errors import InputError
from glmflow.files import atomic_path, sha256, write_table
from glmflow.genome.canonical import as_bases
from glmflow.models.adapter import Adapter
from glmflow.models.diffusion_generation import is_diffusion
from glmflow.models.drawing import Drawn, Sampling, draw, prompt_ids, require_generation
from glmflow.models.registry import read_record
from glmflow.models.saving import LEARNED_FROM
from glmflow.models.weights import file_hashes
from glmflow.screening.audit_log import verify
from glmflow.screening.gate import Gate, GateSettings
from glmflow.screening.hazards import SHORT

from .parts import Parts

log = logging.getLogger(__name__)

TABLE, FASTA, LOG, RECORD = "sequences.parquet", "sequences.fa.gz", "audit.jsonl", "generation.json"


class GenerationRequest(NamedTuple):
    """What is to be drawn.

    Attributes
    ----------
    prompts
        Name and bases of each prompt.
    copies
        Sequences of each prompt.
    length
        Bases that are drawn behind it.
    batch
        Sequences that are drawn together, and that a run that is stopped loses at most.
    keep_prompt
        Write the prompt before what was drawn. The gate screens both together in any case.
    """

    prompts: tuple[tuple[str, str], ...]
    copies: int
    length: int
    sampling: Sampling
    batch: int = 8
    keep_prompt: bool = False


class Source(NamedTuple):
    """What sequences are drawn from.

    Attributes
    ----------
    identity
        What it is; written into log and record.
    draw
        From prompts and the numbers of their sequences to what follows them; the number decides the draw.
    """

    identity: Mapping[str, Any]
    draw: Callable[[Sequence[str], Sequence[int]], list[Drawn]]


def of_model(model: Adapter, request: GenerationRequest, identity: Mapping[str, Any]) -> Source:
    """Return a model as a source.

    Raises
    ------
    InputError
        A prompt cannot be read, or nothing can be drawn from this model.
    """
    require_generation(model, request.sampling)
    for name, prompt in request.prompts:
        try:
            prompt_ids(model, prompt)
        except InputError as error:
            raise InputError(f"prompt {name}: {error}") from None
    if not (model.network.continues or is_diffusion(model)):
        log.warning("%s keeps nothing of what it has read: every token is a pass over its window", model.card.family)

    def drawn(prompts: Sequence[str], numbers: Sequence[int]) -> list[Drawn]:
        return draw(model, prompts, request.length, request.sampling, numbers, request.batch)

    return Source(identity, drawn)


def run_generation(source: Source, request: GenerationRequest, settings: GateSettings, folder: Path) -> dict[str, int]:
    """Draw, screen and write sequences; return counts: `drawn`, `blocked`, `released`.

    `sequences.fa.gz` and `sequences.parquet` (`name`, `prompt`, `number`, `length`, `tokens`, `log_likelihood` in nats,
    `verdict`, `sequence`, empty where it was blocked), `audit.jsonl` and `generation.json` (settings, and the last entry of the
    log that the sequences were released on).

    Raises
    ------
    InputError
        The gate is not set, there is nothing to draw, or the source asks for a screen and there is none.
    """
    if request.length < 1 or request.copies < 1 or not request.prompts:
        raise InputError("nothing to draw", fix="Give a prompt, a number of sequences and a length of 1 or more.")
    if source.identity.get("gate_required") and not settings.compares:
        fix = "Give a FASTA of hazards."
        raise InputError("this model was made to be used behind a screen (gate_required)", fix=fix)
    shortest = min(len(prompt) for _, prompt in request.prompts) + request.length
    if settings.compares and shortest < SHORT:
        fix = f"Draw {SHORT} bases or more, prompt included."
        raise InputError(f"sequences of {shortest} bases are too short to be screened", fix=fix)
    described = {
        "model": dict(source.identity),
        "prompts": hashlib.sha256("".join(f"{n}\0{s}\0" for n, s in request.prompts).encode()).hexdigest(),
        **{name: value for name, value in request._asdict().items() if name not in ("prompts", "sampling")},
        **request.sampling._asdict(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder):
        return _drawn(source, request, settings, folder, described)


def _drawn(
    source: Source, request: GenerationRequest, settings: GateSettings, folder: Path, described: Mapping[str, Any]
) -> dict[str, int]:
    """Draw, screen and write, in a folder that nothing else writes into meanwhile."""
    gate = Gate(settings, folder / LOG, described)
    if settings.acknowledged:
        log.warning("nothing is screened: %s", settings.acknowledged)
    chance = gate.screen.chance(request.length) if gate.screen else None
    if chance:
        log.warning("%.0f %% of random sequences of %d bases are blocked by this list", 100 * chance, request.length)
    parts = Parts(folder / ".parts", described | {"gate": gate.identity, "kept": ["sequences", "entry"]})
    plan = [(name, prompt, copy) for name, prompt in request.prompts for copy in range(request.copies)]
    tables, entries = [], []
    began, fresh = time.monotonic(), 0
    for number, start in enumerate(range(0, len(plan), request.batch)):
        known = (parts.folder / str(number)).is_dir()
        rows = plan[start : start + request.batch]
        table, entry = parts.tables(number, lambda own=rows, first=start: _part(source, own, first, request, gate))
        tables.append(table)
        entries += entry["entry"].tolist()
        fresh += 0 if known else len(rows)
        left = (time.monotonic() - began) / max(fresh, 1) * (len(plan) - start - len(rows))
        log.info("%d of %d sequences, about %.1f minutes left", start + len(rows), len(plan), left / 60)
    table = pd.concat(tables, ignore_index=True)
    released = int((table["verdict"] != "blocked").sum())
    counts = {"drawn": len(table), "blocked": len(table) - released, "released": released}
    verify(folder / LOG, entries)  # those of an earlier attempt too: what they released is not kept without them
    _write(table, folder)
    record = {
        **described,
        "gate": gate.identity,
        "blocked_of_random": chance,
        "counts": counts,
        "audit_head": gate.log.head,
        "audit_entries": entries,
        "sequences_sha256": sha256(folder / FASTA),
    }
    with atomic_path(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")
    parts.remove()
    return counts


def _part(
    source: Source, rows: Sequence[tuple[str, str, int]], first: int, request: GenerationRequest, gate: Gate
) -> list[pd.DataFrame]:
    """Draw some sequences and return what may be kept of them, and the hash of the log's entry on it."""
    prompts = [_bases(prompt) for _, prompt, _ in rows]
    numbers = range(first, first + len(rows))
    drawn = source.draw(prompts, numbers)
    names = [f"{name}_{copy}" for name, _, copy in rows]
    whole = [prompt + own.sequence for prompt, own in zip(prompts, drawn)]
    passed = gate.passed(names, whole)
    shown = whole if request.keep_prompt else [own.sequence for own in drawn]
    verdict = "not screened" if gate.settings.acknowledged else "passed"
    table = pd.DataFrame(
        {
            "name": names,
            "prompt": [name for name, _, _ in rows],
            "number": np.array(numbers, np.int64),
            "length": [len(sequence) for sequence in shown],
            "tokens": [own.tokens for own in drawn],
            "log_likelihood": [own.log_likelihood for own in drawn],
            "verdict": [verdict if good else "blocked" for good in passed],
            "sequence": [sequence if good else "" for sequence, good in zip(shown, passed)],
        }
    )
    return [table, pd.DataFrame({"entry": [gate.log.head]})]


def _bases(prompt: str) -> str:
    return as_bases(prompt).tobytes().decode("ascii")


def _write(table: pd.DataFrame, folder: Path) -> None:
    """Write the sequences; the same bytes for the same sequences."""
    write_table(table, folder / TABLE)
    text = "".join(
        f">{row.name}\n{row.sequence}\n" for row in table.itertuples(index=False) if row.verdict != "blocked"
    )
    with atomic_path(folder / FASTA) as temporary:
        temporary.write_bytes(gzip.compress(text.encode("ascii"), mtime=0))


def verify_generation(folder: Path) -> int:
    """Return how many entries the log of generated sequences has, after all of it and the sequences were verified.

    Raises
    ------
    InputError
        The log was changed, or lacks an entry that sequences were released on; the sequences are not those that were released.
    """
    for name in (RECORD, LOG):
        if not (folder / name).is_file():
            raise InputError(f"no {name}", where=folder, fix="Give a folder that glmflow generate has written.")
    record = json.loads((folder / RECORD).read_text())
    count, _ = verify(folder / LOG, [*record["audit_entries"], record["audit_head"]])
    if not (folder / FASTA).is_file() or sha256(folder / FASTA) != record["sequences_sha256"]:
        fix = "Generate into another folder."
        raise InputError("these are not the sequences that were released", where=folder / FASTA, fix=fix)
    return count


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a folder for one run: two that write one log would break its chain.

    Raises
    ------
    InputError
        Another run writes into it.
    """
    path = folder / ".held"
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            fix = "Wait for it, or give another folder."
            raise InputError("another glmflow generate writes into it", where=folder, fix=fix) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def model_identity(folder: Path, model: Adapter) -> dict[str, Any]:
    """Return what tells a model from others: its folder's name and the SHA-256 over its files, and what its record says."""
    record = read_record(folder)
    hashes = "".join(f"{name} {value}\n" for name, value in sorted(file_hashes(folder).items()))
    found = {"name": folder.resolve().name, "family": model.card.family}
    found["sha256"] = hashlib.sha256(hashes.encode()).hexdigest()
    said = {**(record.get("origin") or {}), **record}
    return found | {key: said[key] for key in LEARNED_FROM if key in said}
