"""The structure of the library, by its source text: no circle, kinds in their own files, a module's name stands once."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from structure_lints import branches, circle, doubled, imports, kinds, named_in_text, named_kinds, own_files

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "workflow/scripts/glmflow"
TEXTS = (".smk", ".html", ".js", ".css", ".yaml", ".sh")


def test_no_circle_of_imports():
    assert circle(PACKAGE) == []


def test_a_module_name_stands_once():
    assert doubled(PACKAGE) == []


def test_kinds_are_named_in_their_own_files_only():
    assert {"rnaseq_tracks", "snp2gex"} <= set(kinds(PACKAGE))
    assert named_kinds(PACKAGE) == []


def test_rules_and_templates_name_no_kind():
    files = [path for path in (ROOT / "workflow").rglob("*") if path.suffix in TEXTS]
    files += [ROOT / "Snakefile", *(ROOT / "profiles").rglob("*.yaml")]
    assert len(files) > 20
    assert named_in_text(PACKAGE, files) == []


def test_docs_name_every_folder_of_the_library_and_every_file_of_rules():
    text = (ROOT / "docs/architecture.md").read_text()
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(folders) > 20 and not {name for name in folders if f"`{name}/" not in text}
    rules = text[text.index("Rules (`workflow/rules/`)") :].split("`")[3].split()
    assert set(rules) == {path.stem for path in (ROOT / "workflow/rules").glob("*.smk")}


def test_the_arrows_of_the_docs_are_those_of_the_import_contract():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    text = (ROOT / "docs/architecture.md").read_text().split("## Who may import whom")[1].split(". `report`")[0]
    layers = [set(re.findall(r"`(\w+)`", part)) for part in text.split("<")]
    expected = [set(re.split(r" [|:] ", layer)) - {"report"} for layer in reversed(contract)]
    assert len(layers) == len(expected)
    assert all(named and named <= layer for named, layer in zip(layers, expected))


def test_nothing_decides_by_the_kind_of_a_task():
    assert branches(PACKAGE) == []


# Each lint on a small made-up library: what it has to find, and what it has to leave alone.


@pytest.fixture
def made_up(tmp_path):
    """Write a library with two kinds, one of them a plain word, and further files by their path without `.py`."""

    def write(files):
        folders = (".", "config", "config/tasks", "tasks", "report", "report/pages", "training", "genome")
        files = {f"{folder}/__init__": "" for folder in folders} | files
        for name, text in {"config/tasks/snp2gex": "", "config/tasks/sequences": "", **files}.items():
            path = tmp_path / "glmflow" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "glmflow"

    return write


@pytest.mark.parametrize(
    "files",
    [
        {"genome/a": "import glmflow.genome.b", "genome/b": "from glmflow.genome import a"},
        {"genome/a": "from .b import x", "genome/b": "def f():\n    from .a import y"},
        {"genome/a": "from .b import x", "genome/b": "if TYPE_CHECKING:\n    from .a import Y"},
        {"genome/a": "from .b import x", "genome/b": "from .c import x", "genome/c": "from . import a"},
        {
            "config/tasks/__init__": "KINDS = blocks_of(__name__)",
            "config/tasks/snp2gex": "from ..study import Study",
            "config/study": "from .tasks import KINDS",
        },
    ],
)
def test_a_circle_is_found(made_up, files):
    package = made_up(files)
    found, edges = circle(package), imports(package)
    assert len(found) > 2 and found[0] == found[-1]
    assert all(second in edges[first] for first, second in pairwise(found)), "each imports the next"


def test_a_look_up_by_name_is_no_circle(made_up):
    look_up = "from glmflow import tasks\n\ndef find(kind):\n    return module_names(tasks)"
    assert circle(made_up({"genome/a": look_up, "tasks/snp2gex": "from glmflow.genome.a import find"})) == []


@pytest.mark.parametrize(
    "text",
    [
        "NAME = 'snp2gex'",
        "print(f'models of kind snp2gex: {1}')",
        "from glmflow.tasks.snp2gex import score",
        "from ..tasks import sequences",
        "def f():\n    import glmflow.config.tasks.sequences",
        "run = import_module('glmflow.tasks.sequences')",
        "page = 'report/pages/sequences.html'",
        "known = task.kind == 'sequences'",
        "known = kind in ('hotspots', 'sequences')",
        "known = settings['task']['kind'] != 'sequences'",
        "match task.kind:\n    case 'sequences':\n        pass",
        "SIZES = {'sequences': 3}\nsize = SIZES[task.kind]",
        "SIZES = {'sequences': 3}\nsize = SIZES.get(kind, 0)",
        "SIZES = {'sequences': 3, 'snp2gex': 4}",
        "FOUND = ['snp2gex', 'sequences']",
        "task = {'kind': 'sequences'}",
        "task = Task(kind='sequences')",
        "DEFAULT_KIND = 'sequences'",
        "made = module(tasks, 'sequences')",
        "def add_snp2gex(parser):\n    pass",
        "class Snp2gexRows:\n    pass",
        "# as snp2gex does",
    ],
)
def test_a_kind_named_elsewhere_is_found(made_up, text):
    assert named_kinds(made_up({"training/shared": text, "tasks/snp2gex": "", "tasks/sequences": ""})), text


@pytest.mark.parametrize(
    "text",
    [
        '"""Sequences of equal length."""',
        "raise ValueError('no sequences to tokenize')",
        "batch = {'sequences': codes, 'targets': values}",
        "codes = batch['sequences']",
        "sequences = ['A']  # sequences",
        "def log_likelihood(sequences): ...",
        "found = name == 'sequences'",
        "parser.add_argument('sequences')",
        "frame = pd.DataFrame(columns=['sequences', 'label'])",
        "known = adaptation.kind == 'lora'",
        "score = module(tasks, task.kind).score",
    ],
)
def test_a_plain_word_is_left_alone(made_up, text):
    assert named_kinds(made_up({"training/shared": text})) == []


def test_a_kind_may_name_itself(made_up):
    name = "NAME = 'snp2gex'"
    package = made_up(
        {
            "tasks/snp2gex/__init__": name,
            "tasks/snp2gex/cells": name,
            "baselines/snp2gex": name,
            "report/pages/snp2gex": "from ..samples.tables import rows",
            "report/samples/__init__": "",
            "report/samples/tables": name,
        }
    )
    assert package / "report/samples/tables.py" in own_files(package, "snp2gex")
    assert named_kinds(package) == []


def test_a_folder_of_the_report_that_two_pages_import_is_shared(made_up):
    page = "from ..samples.tables import rows"
    files = {"report/pages/snp2gex": page, "report/pages/sequences": page, "report/samples/__init__": ""}
    assert len(named_kinds(made_up(files | {"report/samples/tables": "known = kind == 'sequences'"}))) == 1


def test_a_script_beside_the_library_is_read_too(made_up):
    package = made_up({"tasks/sequences": "def score(): ..."})
    (package.parent / "score.py").write_text("with logged():\n    from glmflow.tasks.sequences import score")
    assert [line.split(":")[0] for line in named_kinds(package)] == ["score.py"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("kind: snp2gex", True),
        ("kind: sequences", True),
        ('<script src="pages/sequences.js">', True),
        ('if kind == "sequences":', True),
        ("<p>All sequences of the table</p>", False),
        ("sequences: 5", False),
    ],
)
def test_rules_and_templates_are_read(made_up, tmp_path, line, found):
    path = tmp_path / "runs.smk"
    path.write_text(line)
    assert bool(named_in_text(made_up({}), [path])) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(task):\n    return 1 if task.kind == 'other' else 2", True),
        ("known = study.tasks[run.task].kind in ('a', 'b')", True),
        ("known = settings['task']['kind'] == 'other'", True),
        ("match run.task.kind:\n    case _:\n        pass", True),
        ("loss = getattr(task, 'loss', None)", True),
        ("known = isinstance(run.task, Coverage)", True),
        ("known = adaptation.kind == 'lora'", False),
        ("known = task.kind in module_names(checks)", False),
        ("text = f'kind {task.kind} does not read it'", False),
        ("match adaptation.kind:\n    case 'full':\n        pass", False),
        ("sound = isinstance(task, Mapping)", False),
        ("same = task.target == 'coverage'", False),
    ],
)
def test_a_decision_by_kind_is_found(made_up, text, found):
    assert bool(branches(made_up({"training/shared": text, "tasks/snp2gex/steps": text}))) == found


def test_a_kind_may_ask_its_own_task(made_up):
    assert branches(made_up({"tasks/snp2gex/steps": "known = task.kind == 'snp2gex'"})) == []


def test_a_doubled_name_is_found(made_up):
    found = doubled(made_up({"genome/files": "", "training/files": "", "genome/sequences": ""}))
    assert found == [
        "files: genome/files.py, training/files.py",
        "sequences: config/tasks/sequences.py, genome/sequences.py",
    ]


def test_settings_code_and_page_share_a_name(made_up):
    files = ("config/heads/class_heads", "models/heads/class_heads", "baselines/sequences", "report/pages/sequences")
    assert doubled(made_up(dict.fromkeys(files, ""))) == []
