"""Tables of sequences block by block, whatever they are stored as: CSV, TSV, parquet or JSON lines."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from glmflow.errors import InputError

BLOCK = 1 << 23
"""Bytes of text that are read at a time; a row has to fit into one block."""
ROWS = 16384
"""Rows of a parquet file or of JSON lines that are read at a time."""
SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".parquet", ".pq", ".jsonl", ".ndjson", ".json")
ROW = re.compile(r"(?:Row #\d+: )?Expected (\d+) columns, got (\d+): (.*)")
COMPRESSED = (".gz", ".bz2", ".zst")
MAGIC = {
    b"PK\x03\x04": ("a zip archive or an Excel file", "Save it as CSV."),
    b"\xd0\xcf\x11\xe0": ("an Excel file", "Save it as CSV."),
    b"\x1f\x8b": ("gzip-compressed", "Name it with .gz at its end."),
    b"\xff\xfe": ("text in UTF-16", "Save it as UTF-8."),
    b"\xfe\xff": ("text in UTF-16", "Save it as UTF-8."),
}
"""What a file begins with that is no text, in words, and what to do."""


class TableFile:
    """A table of text columns that is read block by block, so that its size does not matter.

    Parameters
    ----------
    path
        CSV or TSV (recognised by its first line), parquet or JSON lines; plain or compressed (gz, bz2, zst).
    headless
        Its first line is a row: columns are called 1, 2, 3 ...

    Attributes
    ----------
    header : list[str]
        Names of its columns.

    Raises
    ------
    InputError
        There is no such file, it is empty, or it is no table.
    """

    def __init__(self, path: str | Path, headless: bool = False):
        self.path, self.headless = Path(path), headless
        if self.path.is_dir():
            what = "a folder, not a table"
            raise InputError(what, where=self.path, fix=f"Say folder: {self.path}, or name a file in it.")
        if not self.path.is_file():
            raise InputError("no such file", where=self.path, fix="Give the path of a table.")
        if not self.path.stat().st_size:
            raise InputError("an empty file", where=self.path, fix="Give a table with a header line and rows.")
        self.kind = _kind(self.path)
        self.delimiter = ","
        self.header = {"text": self._text_header, "parquet": self._parquet_header, "lines": self._lines_header}[
            self.kind
        ]()

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the columns asked for as text, some rows at a time, in the order of the file.

        Lists are written as JSON; a missing value is the empty text.

        Raises
        ------
        InputError
            A row has another number of cells than the header, a cell is not text, or the file is damaged.
        """
        read = {"text": self._text, "parquet": self._parquet, "lines": self._lines}[self.kind]
        try:
            yield from read(list(columns))
        except (pa.ArrowException, EOFError, gzip.BadGzipFile, UnicodeDecodeError, OSError) as error:
            reason = str(error).splitlines()[0].removeprefix("CSV parse error: ")
            if cells := ROW.match(reason):
                reason = f"a row has {cells[2]} cells, the header {cells[1]}: {cells[3][:60]!r}"
                raise InputError(reason, where=self.path, fix="Give every row a cell for each column.") from None
            if "Could not skip initial" in reason:
                raise InputError("a table without rows", where=self.path, fix="Give rows below its header.") from None
            if "straddling" in reason or "try to increase block size" in reason:
                reason = f"a row is longer than {BLOCK >> 20} MB"
            raise InputError(f"cannot be read: {reason}", where=self.path, fix="Correct or fetch it again.") from None

    # Text

    def _open(self) -> io.BufferedIOBase:
        return pa.input_stream(str(self.path), compression="detect")

    def _text_header(self) -> list[str]:
        if not self.path.name.lower().endswith(COMPRESSED):
            with self.path.open("rb") as handle:
                start = handle.read(4)
            for magic, (what, fix) in MAGIC.items():
                if start.startswith(magic):
                    raise InputError(f"{what}, not a table of text", where=self.path, fix=fix)
        try:
            with self._open() as stream:
                line = io.TextIOWrapper(stream, "utf-8-sig", newline=None).readline(BLOCK)
        except (UnicodeDecodeError, OSError, pa.ArrowException) as error:
            fix = "Save it as UTF-8." if isinstance(error, UnicodeDecodeError) else "Give CSV, TSV or parquet."
            raise InputError(f"not a table ({error})", where=self.path, fix=fix) from None
        line = line.rstrip("\r\n")
        if line.startswith((">", "<")) or "\0" in line:
            kind = "a FASTA file" if line[0] == ">" else "no table"
            raise InputError(f"{kind}, not a table", where=self.path, fix="Give CSV, TSV, parquet or JSON lines.")
        self.delimiter = max("\t,;|", key=line.count)
        cells = [cell.strip().strip('"') for cell in line.split(self.delimiter)]
        if not line.strip() or cells == [""]:
            raise InputError("its first line is empty", where=self.path, fix="Give names of columns in it.")
        if len(cells) == 1 and " " in cells[0] and not self.headless:
            what = f"one column alone in its first line ({cells[0][:60]!r})"
            fix = "Separate columns by commas or tabs, and put their names into the first line, with no comment above."
            raise InputError(what, where=self.path, fix=fix)
        return [str(i) for i in range(1, len(cells) + 1)] if self.headless else cells

    def _text(self, columns: list[str]) -> Iterator[pa.Table]:
        options = {
            "read_options": pa.csv.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=self.header, skip_rows=0 if self.headless else 1
            ),
            "parse_options": pa.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=False),
            "convert_options": pa.csv.ConvertOptions(
                column_types={name: pa.large_string() for name in columns}, include_columns=columns,
                strings_can_be_null=False, null_values=[],
            ),
        }  # fmt: skip
        with self._open() as stream, pa.csv.open_csv(stream, **options) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])

    # Parquet

    def _parquet_header(self) -> list[str]:
        try:
            return list(pa.parquet.read_schema(self.path).names)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"no parquet file ({error})", where=self.path, fix="Fetch it again.") from None

    def _parquet(self, columns: list[str]) -> Iterator[pa.Table]:
        with pa.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(ROWS, columns=columns):
                yield pa.table({name: _as_text(batch.column(name)) for name in columns})

    # JSON lines

    def _lines_header(self) -> list[str]:
        for _, record in self._records():
            return list(record)
        raise InputError("no record in it", where=self.path, fix="Give a JSON object a line.")

    def _records(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        with self._open() as stream:
            for number, line in enumerate(io.TextIOWrapper(stream, "utf-8-sig"), start=1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except json.JSONDecodeError as error:
                    where = f"{self.path}, line {number}"
                    raise InputError(f"not JSON ({error})", where=where, fix="Give a JSON object a line.") from None
                if isinstance(record, list):
                    fix = 'Write a record a line (pandas: df.to_json(path, orient="records", lines=True)).'
                    raise InputError("one JSON array, not JSON lines", where=self.path, fix=fix)
                if not isinstance(record, dict):
                    where = f"{self.path}, line {number}"
                    raise InputError("not a JSON object", where=where, fix='Write {"sequence": ..., "label": ...}.')
                yield number, record

    def _lines(self, columns: list[str]) -> Iterator[pa.Table]:
        held: list[list[str]] = []
        size = 0
        for number, record in self._records():
            missing = [name for name in columns if name not in record]
            if missing:
                where = f"{self.path}, line {number}"
                raise InputError(
                    f"no {missing[0]!r} in this record", where=where, fix="Give every record the same keys."
                )
            held.append([_text_of(record[name]) for name in columns])
            size += sum(map(len, held[-1]))
            if len(held) == ROWS or size > BLOCK:
                yield _table(columns, held)
                held, size = [], 0
        if held:
            yield _table(columns, held)


def _kind(path: Path) -> str:
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    if name.endswith((".jsonl", ".ndjson", ".json")):
        return "lines"
    with path.open("rb") as handle:
        return "parquet" if handle.read(4) == b"PAR1" else "text"


def _as_text(column: pa.Array) -> pa.Array:
    """Return a column as text; whole numbers that pandas has stored as floats stay whole."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string(column.type):
        return column.cast(pa.large_string()).fill_null("")
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        return column.cast(pa.large_string()).fill_null("")
    return pa.array([_text_of(value) for value in column.to_pylist()], pa.large_string())


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value != value:
        return ""
    return json.dumps(value, default=str) if not isinstance(value, (int, float)) else repr(value)


def _table(columns: list[str], rows: list[list[str]]) -> pa.Table:
    return pa.table({name: pa.array(cells, pa.large_string()) for name, cells in zip(columns, zip(*rows))})
