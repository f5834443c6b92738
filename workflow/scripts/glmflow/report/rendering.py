"""Pages from templates: data as JSON inside the page, scripts and styles from installed packages."""

from __future__ import annotations

import base64
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import altair as alt
import jinja2
import pandas as pd
import vl_convert

from .wording import number

TEMPLATES = (Path(__file__).parent / "templates", Path(__file__).parent / "pages")
"""Folders of templates: those of the report, and those that kinds of task have beside their modules."""
ABBREVIATIONS = {word.lower(): word for word in ("AUPRC", "AUROC", "F1", "MCC")}
"""Words of columns that are written in capitals."""


def render(template: str, **context: Any) -> str:
    """Return a template filled with values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["whole"] = whole
    environment.filters["figure"] = figure
    environment.filters["heading"] = heading
    return environment.get_template(template).render(**context)


def whole(value: Any) -> str:
    """Return a count for reading; `–` if there is none."""
    return "–" if value is None or value == "" or value != value else f"{int(value):,}"


def heading(name: str) -> str:
    """Return the name of a column for reading: `chance_auprc` is `chance AUPRC`."""
    return " ".join(ABBREVIATIONS.get(word, word) for word in name.split("_"))


def figure(value: Any) -> str:
    """Return a count or a measure for reading; `–` if there is none."""
    if value is None or value == "" or value != value:
        return "–"
    return whole(value) if float(value).is_integer() else number(float(value))


def records(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table for a page, column by column.

    Numbers have five digits and null for NaN; text that repeats is written once (`levels`) and pointed to (`codes`).
    """
    columns = {}
    for name, column in table.items():
        values = [_short(cell) for cell in column]
        levels = list(dict.fromkeys(values))
        if all(isinstance(level, str) for level in levels) and len(levels) < len(values):
            place = {level: code for code, level in enumerate(levels)}
            columns[name] = {"levels": levels, "codes": [place[value] for value in values]}
        else:
            columns[name] = {"values": values}
    return {"rows": len(table), "columns": columns}


def embed(data: Any) -> str:
    """Return data as JSON that can stand inside a script element."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("</", "<\\/")


@cache
def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed in the version that Altair writes for, from vl-convert."""
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.javascript_bundle(vl_version=version)


@cache
def igv() -> str:
    """Return igv.js, from igv-notebook."""
    return files("igv_notebook").joinpath("js/igv.min.js").read_text(encoding="utf-8")


@cache
def datatables() -> dict[str, str]:
    """Return the style of DataTables and, in base64, its module, from itables."""
    html = files("itables").joinpath("html")
    return {
        "css": html.joinpath("dt_bundle.css").read_text(encoding="utf-8"),
        "module": base64.b64encode(html.joinpath("dt_bundle.js").read_bytes()).decode("ascii"),
    }


def _short(cell: Any) -> Any:
    """Return a number with five digits; None for NaN."""
    cell = cell.item() if hasattr(cell, "item") else cell
    if isinstance(cell, float):
        return None if cell != cell else float(f"{cell:.5g}")
    return cell
