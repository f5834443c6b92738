"""Scores of variants as a table, a row an allele: parquet or text, written a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from glmflow.effects.score_runs import ModelScores
from glmflow.files import atomic_path
from glmflow.genome.edits import BEYOND, Edits, Records

from .effect_fields import OWN, WINDOW, Beside, ModelNote, kinds_of, reasons_of


def write_scores(output: Path, notes: Sequence[ModelNote], parts: Beside) -> None:
    """Write a table, a row an allele: parquet by that suffix, else tab-separated text.

    Its columns: `variant` (chrom:pos:ref:alt, pos from 1), `chrom`, `start` (from 0), `ref`, `alt`, `kind`; each score
    (with several models, `{model}_{score}`); `window_start`, `window_bp`, `n_bases` (N in the reference window), of the
    first model (of several: of each, by its name); `reason`; then what other columns a table had that came in.
    """
    with atomic_path(output) as temporary, _rows(temporary, output) as write:
        some = False
        for records, edits, models in parts:
            write(table_of(records, edits, models, notes))
            some = True
        if not some:
            write(_without_rows(notes))


def _without_rows(notes: Sequence[ModelNote]) -> pd.DataFrame:
    """Return the table of a file without records: its columns, with their types."""
    prefixes = [f"{note.name}_" if len(notes) > 1 else "" for note in notes]
    types = {name: "int64" if name == "start" else "object" for name in OWN}
    types |= {f"{prefix}{field}": "float64" for prefix, note in zip(prefixes, notes) for field in note.fields}
    types |= {f"{prefix}{name}": "int64" for prefix in prefixes for name in WINDOW}
    return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in {**types, "reason": "object"}.items()})


def table_of(records: Records, edits: Edits, models: Sequence[ModelScores], notes: Sequence[ModelNote]) -> pd.DataFrame:
    """Return the rows of some records."""
    rows = edits.record.tolist()
    places = records.labels or list(zip(records.chrom, records.pos))
    chrom, start = [places[i][0] for i in rows], [places[i][1] for i in rows]
    ref = [records.ref[i] for i in rows]
    table: dict[str, Any] = {
        "variant": [f"{c}:{s + 1}:{r}:{a}" for c, s, r, a in zip(chrom, start, ref, edits.alt)],
        "chrom": chrom,
        "start": np.array([min(place, BEYOND) for place in start], np.int64),
        "ref": ref,
        "alt": edits.alt,
        "kind": kinds_of(edits),
    }
    several = len(models) > 1
    last: dict[str, Any] = {}
    for note, scores in zip(notes, models):
        prefix = f"{note.name}_" if several else ""
        columns = scores.fields(note.strands)
        table.update({f"{prefix}{field}": columns[field] for field in note.fields})
        for place, name in enumerate(WINDOW, 1):
            last[f"{prefix}{name}"] = scores.table[:, place].astype(np.int64)
    table |= last
    table["reason"] = reasons_of(models)
    found = pd.DataFrame(table)
    if isinstance(records.lines, pd.DataFrame):
        given = records.lines
        others = [name for name in given.columns if name not in found.columns and name.lower() not in OWN]
        others = [name for name in others if name.lower() not in ("sequence", "sequences")]
        for name in others:
            found[name] = given[name].to_numpy()[edits.record]
    return found


@contextmanager
def _rows(path: Path, name: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Yield what writes some rows at a time."""
    if name.suffix == ".parquet":
        writer: list[parquet.ParquetWriter] = []

        def write_parquet(table: pd.DataFrame) -> None:
            if writer:
                writer[0].write_table(pa.Table.from_pandas(table, writer[0].schema, preserve_index=False))
                return
            whole = pa.Table.from_pandas(table, preserve_index=False)
            schema = pa.schema(
                [pa.field(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in whole.schema]
            )
            writer.append(parquet.ParquetWriter(path, schema))
            writer[0].write_table(whole.cast(schema))

        try:
            yield write_parquet
        finally:
            for one in writer:
                one.close()
        return
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as target:
        begun: list[bool] = []

        def write_text(table: pd.DataFrame) -> None:
            table.to_csv(target, sep="\t", index=False, header=not begun, lineterminator="\n", float_format="%.10g")
            begun.append(True)

        yield write_text
