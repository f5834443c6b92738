"""Questions about a pair of alleles, from the layouts that they are published in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glmflow.errors import InputError
from glmflow.genome.allele_change import change_of, uncut
from glmflow.text_files import read_cells, text_lines

from .question_texts import (
    EMPTY,
    list_free_answer,
    list_free_class,
    pathway_question,
    placed_question,
    variant_effect_answer,
)

KEYS = ("question", "answer", "reference_sequence", "variant_sequence")
COLUMNS = (
    "sequence_ref", "sequence_alt", "text_question", "text_reasoning", "answer", "target", "gene", "network", "pathway",
    "chromosome", "position", "kind",
)  # fmt: skip
"""What is known of a question, whatever its layout; None where it is not said."""
UNKNOWN = "?"
"""Answer of a new question."""
PATHWAY, CODING, NON_SNV, TABLE = "kegg", "vep_coding", "vep_non_snv", "table"


def read_questions(layout: str, path: str | Path, answered: bool = True) -> pd.DataFrame:
    """Return the questions of a file: `COLUMNS`, and every other column of the file under its own name.

    Parameters
    ----------
    layout
        `kegg` (with or without the pathway in its questions: `kegg_hard`), `vep_coding`, `vep_non_snv` or `table`.
    path
        JSON lines, CSV, TSV or parquet.
    answered
        Whether every row has its answer; new questions need none.

    Raises
    ------
    InputError
        There is no such file, a key is missing, an allele is empty or holds another letter, or no row is left.
    """
    return questions_of(layout, _lines(Path(path)), path, answered)


def questions_of(
    layout: str, given: Iterable[Mapping[str, Any]], source: str | Path, answered: bool = True
) -> pd.DataFrame:
    """Return the questions of rows from anywhere (see `read_questions`); `source` is named where one is wrong."""
    rows, others = [], []
    for number, row in enumerate(given, 1):
        where = f"{source}, row {number}"
        rows.append(one_question(layout, row, where, answered))
        read = (*KEYS, "reasoning", "mutated_sequence", *COLUMNS)
        others.append({name: value for name, value in row.items() if name not in read})
    if not rows:
        raise InputError("no question", where=source, fix="Give a row a question.")
    return pd.concat([pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(others)], axis=1)


def one_question(layout: str, row: Mapping[str, Any], where: str = "row", answered: bool = True) -> dict[str, Any]:
    """Return what is known of one row of a file (see `read_questions`)."""
    row, keys = dict(row), KEYS
    if not answered:
        keys = tuple(key for key in KEYS if key != "answer")
        row["answer"] = given if isinstance(given := row.get("answer"), str) and given.strip() else UNKNOWN
    if layout == NON_SNV and "variant_sequence" not in row and "mutated_sequence" in row:
        row["variant_sequence"] = row["mutated_sequence"]
    missing = [key for key in keys if not isinstance(row.get(key), str) or (key != "question" and not row[key].strip())]
    if missing:
        has = ", ".join(str(key) for key in row if answered or key != "answer")
        fix = f"A row has {', '.join(keys)}, none empty; this one has {has or 'nothing'}."
        raise InputError(f"without {', '.join(missing)}", where=where, fix=fix)
    ref, alt = (_bases(row[key], key, where) for key in ("reference_sequence", "variant_sequence"))
    if layout == NON_SNV:
        ref, alt = uncut(ref, alt)
    answer = row["answer"].strip()
    target = {CODING: variant_effect_answer, NON_SNV: list_free_class}.get(layout, str.lower)(answer)
    told = {PATHWAY: pathway_question, NON_SNV: placed_question, CODING: placed_question}.get(layout, lambda _: EMPTY)
    known = {**told(row["question"]), **{key: row[key] for key in EMPTY if row.get(key) not in (None, "")}}
    return {
        "sequence_ref": ref,
        "sequence_alt": alt,
        "text_question": row["question"].strip(),
        "text_reasoning": reasoning(row.get("reasoning")),
        "answer": list_free_answer(answer) if layout == NON_SNV else answer,
        "target": target,
        **known,
        "kind": change_of(ref, alt).kind,
    }


def reasoning(value: Any) -> str:
    """Return a trace as text: as it is, or the steps of a source file joined by line ends; empty where there is none."""
    if isinstance(value, Mapping):
        value = value.get("reasoning_steps")
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return value if isinstance(value, str) else ""


def _bases(text: str, key: str, where: str) -> str:
    found = text.strip().upper()
    other = sorted(set(found) - set("ACGTN"))
    if other:
        fix = "Give the alleles in A, C, G, T and N."
        raise InputError(f"{key} holds {other[0]!r}, which is no base", where=where, fix=fix)
    return found


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a file as mappings; of JSON with values as they are."""
    if not path.is_file():
        raise InputError("no such file", where=path, fix="Give the path of a table of questions.")
    if holds_json(path):
        yield from json_rows(path)
        return
    yield from read_cells(path).to_dict("records")


def holds_json(path: Path) -> bool:
    """Return whether a file holds JSON lines, by its name; it may be compressed."""
    return Path(path.name.removesuffix(".gz").removesuffix(".bgz")).suffix in (".json", ".jsonl", ".ndjson")


def json_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a file of JSON lines."""
    for number, line in text_lines(path):
        yield _parsed(line, path, number)


def _parsed(line: str, path: Path, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        fix = "A line is one question: {question, answer, reference_sequence, variant_sequence}."
        raise InputError("is no JSON object", where=f"{path}, line {number}", fix=fix)
    return row
