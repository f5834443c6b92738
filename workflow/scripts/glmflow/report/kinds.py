"""Kinds of task as the report knows them: what the module `pages/<kind>.py` declares, and a default for the rest.

A module may declare

=====================  ========================================================================================================
`HEADLINE`             metric that verdicts are about, or several by preference
`LEVELS`               {level: `Level`}
`METRICS`              {metric: `Words`}, in reading order
`LOGGED`               {quantity: `Words`} of what its training logs beside `METRICS`, without the prefix `eval_`
`FURTHER`              metrics of other levels, against which the lead of a verdict is held
`FINDABLE`             {table of its page's data: `Findable`}, what the search over all pages finds on it
`LINK`                 what links to its pages are called
`PROTOCOLS`            a sentence on the protocols of its scores
`UNSCORED`             a sentence for runs whose held-out examples have no known target
`page(study, task)`    HTML of a task's page; None if there is nothing to show
`verdict(study, task)` `Verdict` in place of the general one; None for the general one
`cards(study, task)`   cards beside the general ones
`figures(study, task)` {name: `figures.Drawing` (a matplotlib figure and its values), or None}
`tables(study, tasks)` {name: DataFrame} of `data/`
`sections(study, tasks)`   parts of the index page (`Section`)
`warnings(study, tasks)`   (where, sentence) pairs
`trained_bases(run)`   bases of sequence that a run was fitted on, counted as often as they were seen
=====================  ========================================================================================================

`tasks` are all tasks of the kind, so that what they share is shown once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

from glmflow.modules import module, module_names

from .search_index import Findable
from .wording import EXAMPLE, NOT_DECLARED, QUANTITIES, STAGES, Metric, Words

PAGES = f"{__package__}.pages"
"""Package whose modules are the kinds that declare something."""


@dataclass(frozen=True)
class Section:
    """Part of the index page that a kind adds.

    Attributes
    ----------
    place
        `results` (under the selectors, after training) or `quality` (a part of data quality).
    name, title
        Anchor and heading.
    html
        Its content; an element of id `chart-{chart}` holds a chart.
    charts
        Vega-Lite specifications by name; they may use the page's selectors as parameters.
    datasets
        Tables that charts name. A mark whose row has a column `href` opens that address on a click.
    """

    place: str
    name: str
    title: str
    html: str
    charts: Mapping[str, Any] = field(default_factory=dict)
    datasets: Mapping[str, Any] = field(default_factory=dict)


class Kind:
    """A kind of task: the declarations of its module, `module` is None if it has none."""

    def __init__(self, name: str, module: ModuleType | None):
        declared = vars(module) if module is not None else {}
        self.name = name
        headline = declared.get("HEADLINE", ())
        self.headlines: tuple[str, ...] = (headline,) if isinstance(headline, str) else tuple(headline)
        self.levels = dict(declared.get("LEVELS", {}))
        self.metrics: dict[str, Words] = dict(declared.get("METRICS", {}))
        self.logged: dict[str, Words] = dict(declared.get("LOGGED", {}))
        self.further: tuple[str, ...] = tuple(declared.get("FURTHER", ()))
        self.link = declared.get("LINK", name.replace("_", " ").capitalize())
        self.findable: dict[str, Findable] = dict(declared.get("FINDABLE", {}))
        self.protocols = declared.get("PROTOCOLS", "")
        self.unscored = declared.get("UNSCORED", "")
        self._declared = declared

    def call(self, function: str, *arguments: Any, default: Any = None) -> Any:
        """Return what a function of the module gives; `default` if it has no such function."""
        return self._declared[function](*arguments) if function in self._declared else default

    @property
    def has_pages(self) -> bool:
        """Whether its tasks have pages of their own."""
        return "page" in self._declared

    def metric(self, name: str) -> Metric:
        """Return how a metric is shown; one that is not declared has no direction."""
        words = self.metrics.get(name)
        if words is None:
            return Metric(name, Words(name.replace("_", " "), "none", ""), NOT_DECLARED, declared=False)
        return Metric(name, words, self.levels.get(words.level, EXAMPLE))

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return metrics in reading order: by level, then as declared; what is not declared stands last."""
        levels, metrics = list(self.levels), list(self.metrics)

        def place(name: str) -> tuple[int, int, str]:
            if name not in self.metrics:
                return len(levels) + 1, 0, name
            level = self.metrics[name].level
            return levels.index(level) if level in levels else len(levels), metrics.index(name), name

        return sorted(names, key=place)

    def quantity(self, name: str) -> Words:
        """Return how a logged quantity is shown, such as `loss`, `grad_norm`, `eval_loss` or `eval_` and a metric's name."""
        known = self.logged | self.metrics | QUANTITIES
        if name in known:
            return known[name]
        for prefix, split in STAGES.items():
            words = (self.logged | QUANTITIES | self.metrics).get(name.removeprefix(prefix))
            if name.startswith(prefix) and words is not None:
                return words._replace(label=f"{split} {words.label}")
        return Words(name.replace("_", " "), "none", "training")


@cache
def find_kind(name: str) -> Kind:
    """Return a kind by its name, with the module of that name in `pages`; without one, a kind that declares nothing."""
    return Kind(name, module(PAGES, name) if name in module_names(PAGES) else None)


def by_kind(kinds: Mapping[str, Kind]) -> list[tuple[Kind, Sequence[str]]]:
    """Return each kind with its tasks, in the order of the study; `kinds` are those of the tasks."""
    found: dict[str, tuple[Kind, list[str]]] = {}
    for task, kind in kinds.items():
        found.setdefault(kind.name, (kind, []))[1].append(task)
    return list(found.values())
