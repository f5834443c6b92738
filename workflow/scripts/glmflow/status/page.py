"""`status.html`: every job with its state, progress, time left, loss curve and last error."""

from __future__ import annotations

import html
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from glmflow.files import atomic_path

from .scale import top_of_scale

LOST_AFTER = 180.0
"""Seconds without a sign of life after which a running job counts as lost."""
ORDER = ("failed", "lost", "running", "waiting", "done")
TEMPLATE = Path(__file__).with_name("status.html")
WIDTH, HEIGHT = 160, 36


def write_page(results: Path) -> None:
    """Render `status.html` of a study from the files below `status`."""
    results = Path(results)
    now = time.time()
    jobs = sorted(read_jobs(results / "status", now), key=lambda job: (ORDER.index(job["state"]), job["name"]))
    counts = {state: sum(job["state"] == state for job in jobs) for state in ORDER}
    summary = " · ".join(f'<b class="{state}">{n} {state}</b>' for state, n in counts.items() if n)
    page = Template(TEMPLATE.read_text()).substitute(
        study=html.escape(results.name),
        summary=summary,
        time=time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now)),
        milliseconds=round(now * 1000),
        rows="\n".join(row(job, now) for job in jobs),
    )
    with atomic_path(results / "status.html") as temporary:
        temporary.write_text(page)


def read_jobs(folder: Path, now: float) -> list[dict[str, Any]]:
    """Return the jobs, each with its `name`, `state` and `progress`; a file that cannot be read is left out."""
    jobs = []
    for path in folder.rglob("*.json"):
        try:
            job = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if path.name.startswith(".") or job.get("state") not in ORDER:
            continue
        job["name"] = str(path.relative_to(folder).with_suffix(""))
        if job["state"] == "running" and now - job["updated"] > LOST_AFTER:
            job["state"] = "lost"
            job["error"] = f"no sign of life for {duration(now - job['updated'])}"
        try:
            job["progress"] = json.loads(path.with_suffix(".progress").read_text())
        except (OSError, ValueError):
            job["progress"] = {}
        jobs.append(job)
    return jobs


def row(job: Mapping[str, Any], now: float) -> str:
    """Return a job as a row of the table."""
    state, progress = job["state"], job["progress"]
    attempt = f" <small>attempt {job['attempt']}</small>" if job.get("attempt", 1) > 1 else ""
    name = html.escape(job["name"])
    if job.get("log"):
        name = f'<a href="{html.escape(job["log"])}">{name}</a>'
    place = " ".join(str(job[key]) for key in ("host", "job") if job.get(key))
    cells = [
        f'<td>{name}<br><small>{html.escape(place)}</small></td><td class="{state}">{state}{attempt}</td>',
        f"<td>{bar(job)}</td><td>{timing(job, now)}</td>",
        f"<td>{curve(progress.get('loss', []), progress.get('validation', []))}</td>",
        f"<td>{remarks(job)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def remarks(job: Mapping[str, Any]) -> str:
    """Return why a job waits and how its last attempt ended."""
    note = html.escape(job.get("note") or "") if job["state"] == "waiting" else ""
    return "<br>".join(filter(None, (note, html.escape(job.get("error") or ""))))


def bar(job: Mapping[str, Any]) -> str:
    """Return a progress bar with the updates that are done, for jobs that train."""
    progress = job["progress"]
    if not progress.get("updates"):
        return ""
    step, updates = progress["step"], progress["updates"]
    return (
        f'<progress max="{updates}" value="{step}" aria-label="updates"></progress> '
        f"<small>{step:,} of {updates:,}</small>"
    )


def timing(job: Mapping[str, Any], now: float) -> str:
    """Return how long a job took, or takes and will still take."""
    if "started" not in job:
        return ""
    spent = duration((now if job["state"] == "running" else job["updated"]) - job["started"])
    left = seconds_left(job["progress"], now)
    if job["state"] == "running" and left is not None:
        return f"{duration(left)} left<br><small>{spent} so far</small>"
    return spent


def seconds_left(progress: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds that training still takes at the pace since it began or resumed; None before it has one."""
    if not progress.get("updates") or progress["step"] <= progress["first_step"]:
        return None
    pace = (progress["time"] - progress["first_time"]) / (progress["step"] - progress["first_step"])
    return max(0.0, pace * (progress["updates"] - progress["step"]) - (now - progress["time"]))


def duration(seconds: float) -> str:
    """Return seconds in the unit a person would take."""
    minutes = max(0, round(seconds)) // 60
    if minutes < 1:
        return f"{max(0, round(seconds))} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def curve(loss: Sequence[tuple[int, float]], validation: Sequence[tuple[int, float]]) -> str:
    """Return the curves of the training loss and of the validation loss (dots) as a small drawing.

    The few values that would flatten all others are drawn at the upper edge, with a mark.
    """
    points = [(x, y) for x, y in [*loss, *validation] if math.isfinite(y)]
    if len(points) < 2:
        return ""
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), top_of_scale(y for _, y in points)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - left) / max(right - left, 1e-12)
        up = (min(y, high) - low) / max(high - low, 1e-12)
        return round(2 + across * (WIDTH - 4), 1), round(HEIGHT - 2 - up * (HEIGHT - 4), 1)

    line = " ".join("{},{}".format(*place(x, y)) for x, y in loss if math.isfinite(y))
    dots = "".join('<circle cx="{}" cy="{}" r="2"/>'.format(*place(x, y)) for x, y in validation if math.isfinite(y))
    above = [place(x, y)[0] for x, y in points if y > high]
    marks = "".join(f'<path d="M{x - 3},4L{x},0L{x + 3},4Z"/>' for x in above)
    text = f"loss {loss[-1][1]:.4g}" if loss else ""
    text += f", validation {validation[-1][1]:.4g}" if validation else ""
    text += f"; ▲ up to {max(y for _, y in points):.4g}" if above else ""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{text}">'
        f'<polyline points="{line}"/>{dots}{marks}</svg><br><small>{text}</small>'
    )
