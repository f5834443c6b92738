"""What can be found from any page of a report: tasks, models, sections, and the genes, regions and variants that pages show.

The index is a script beside the pages, which a browser reads without a server; a page asks for it when a reader types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from .rendering import embed

MOST = 50_000
"""Entries of an index, some 4 MB; the rest is left out, and said in it."""
ISLAND = re.compile(r'<script id="data" type="application/json">(.*?)</script>', re.DOTALL)
MARKED = re.compile(r'<(\w+)[^>]* data-find="([^"]*)"(?: data-found="([^"]*)")?[^>]*>(.*?)</\1>', re.DOTALL)
SECTION = re.compile(r'<section id="([\w-]+)">\s*<h2[^>]*>(.*?)</h2>', re.DOTALL)
TAGS = re.compile(r"<[^>]+>")


class Findable(NamedTuple):
    """Rows of a table of a page's data that can be found.

    Attributes
    ----------
    what
        What they are, such as `gene`.
    column
        Column of the name.
    address
        What stands behind `#` in the address of a row, with columns in braces; `find={name}` where empty.
    also
        Column of a second name, by which a row is found too; none where empty.
    """

    what: str
    column: str
    address: str = ""
    also: str = ""


class Entry(NamedTuple):
    """What is found: its name, what it is, the page and what stands behind `#`; where it lies (0-based), if anywhere."""

    label: str
    what: str
    page: str
    fragment: str = ""
    chrom: str | None = None
    start: int | None = None
    end: int | None = None


def page_entries(html: str, page: str, findable: Mapping[str, Findable]) -> list[Entry]:
    """Return what can be found on a page: its sections, marked cells (`data-find="what"`), and rows of its data.

    Parameters
    ----------
    html
        The page; its data are a JSON element.
    findable
        By table of the data, which column names what.
    """
    found = [Entry(_text(title), "section", page, name) for name, title in SECTION.findall(html)]
    for _, what, name, content in MARKED.findall(html):
        label = unescape(name) if name else _text(content)
        found.append(Entry(label, what, page, urlencode({"find": label}, quote_via=quote)))
    island = ISLAND.search(html) if findable else None
    data: dict[str, Any] = json.loads(island[1]) if island else {}
    for table, kind in findable.items():
        rows = data.get("datasets", {}).get(table) or data.get(table)
        if rows and kind.column in rows["columns"]:  # two kinds may call other tables alike
            found += _rows(rows, kind, page)
    return list(dict.fromkeys(found))


def _rows(table: Mapping[str, Any], kind: Findable, page: str) -> Iterable[Entry]:
    """Yield the rows of a table as pages hold it (`rendering.records`)."""
    columns = {name: _values(column) for name, column in table["columns"].items()}
    places = all(name in columns for name in ("chrom", "start", "end"))
    for number, label in enumerate(columns[kind.column]):
        values = {name: quote(str(column[number])) for name, column in columns.items()}
        fragment = kind.address.format(**values) or urlencode({"find": str(label)}, quote_via=quote)
        place = (str(columns["chrom"][number]), columns["start"][number], columns["end"][number]) if places else ()
        also = columns[kind.also][number] if kind.also else label
        yield Entry(str(label) if also == label else f"{label} ({also})", kind.what, page, fragment, *place)


def _values(column: Mapping[str, Any]) -> list[Any]:
    return column["values"] if "values" in column else [column["levels"][code] for code in column["codes"]]


def _text(html: str) -> str:
    return " ".join(unescape(TAGS.sub(" ", html)).split())


def search_script(entries: Iterable[Entry], title: str) -> str:
    """Return the script that holds an index; `title` is that of the study."""
    kept = list(dict.fromkeys(entries))
    pages = list(dict.fromkeys(entry.page for entry in kept))
    if len(kept) > MOST:
        note = f"{len(kept) - MOST + 1:,} further entries are left out of this search"
        kept = [*kept[: MOST - 1], Entry(note, "note", pages[0])]
    place = {page: number for number, page in enumerate(pages)}
    rows = [_trimmed([entry.label, entry.what, place[entry.page], *entry[3:]]) for entry in kept]
    body = embed({"title": title, "pages": pages, "entries": rows})
    return f'(window.glmflowIndex ??= []).push({{base: new URL("..", document.currentScript.src).href, ...{body}}});\n'


def _trimmed(row: list[Any]) -> list[Any]:
    while row and row[-1] in (None, ""):
        row.pop()
    return row
