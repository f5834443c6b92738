"""What kinds of task declare for the report: every metric has words, a level and a direction."""

import ast
import re
from pathlib import Path
from types import ModuleType

import pytest
from glmflow import report
from glmflow.metrics import declared
from glmflow.report import ReportInputs, RunFolder, pages, write_report
from glmflow.report.kinds import Kind, find_kind
from glmflow.report.run_tables import METRIC_COLUMNS
from glmflow.report.wording import Level, Words

REPORT = Path(report.__file__).parent
TASKS = REPORT.parent / "tasks"
KINDS = sorted(path.stem for path in (REPORT / "pages").glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", KINDS)
def test_every_metric_has_words_a_level_and_a_direction(name):
    kind = find_kind(name)
    assert kind.metrics and kind.has_pages
    for metric, words in kind.metrics.items():
        assert words.direction in ("higher", "lower", "none"), metric
        assert words.label and words.level in kind.levels and words.explanation.endswith("."), metric
    for level in kind.levels.values():
        assert level.title and level.explanation.endswith(".") and level.unit
    assert kind.headlines and all(kind.metric(headline).ranks for headline in kind.headlines)
    assert all(kind.metric(further).ranks for further in kind.further)


@pytest.mark.parametrize(
    ("kind", "metric", "direction"),
    [
        ("rnaseq_tracks", "base_log1p_pearson", "higher"),
        ("rnaseq_tracks", "window_mse", "lower"),
        ("rnaseq_tracks", "base_zero_ratio", "none"),
        ("rnaseq_tracks", "gene_deviation_fourfold", "none"),
        ("snp2gex", "cross_individual_wrong_ratio", "lower"),
        ("snp2gex", "causal_first_chance_ratio", "none"),
        ("snp2gex", "elastic_net_effects_spearman", "none"),
        ("context_extension", "loss", "lower"),
        ("context_extension", "copy_advantage", "higher"),
        ("sequences", "brier", "lower"),
        ("sequences", "cross_entropy", "lower"),
        ("sequences", "ece", "lower"),
        ("sequences", "mcc", "higher"),
    ],
)
def test_directions(kind, metric, direction):
    assert find_kind(kind).metrics[metric].direction == direction


def test_metrics_stand_in_the_order_of_levels_and_of_their_declaration():
    names = ["gene_pearson", "base_zero_ratio", "base_mse", "other", "window_mse", "base_log1p_pearson"]
    ordered = find_kind("rnaseq_tracks").in_order(names)
    assert ordered == ["base_log1p_pearson", "base_mse", "window_mse", "base_zero_ratio", "gene_pearson", "other"]
    names = ["demeaned_mae", "cross_individual_ceiling_limit", "cross_individual_pearson", "demeaned_r2"]
    assert find_kind("snp2gex").in_order(names) == [names[2], names[1], names[3], names[0]]


def literals(kind, *prefixes):
    """Names that start with a level's prefix, as they stand in the sources of a kind's tasks."""
    found = set()
    for path in (TASKS / kind).rglob("*.py"):
        strings = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        found |= {
            text for text in strings if isinstance(text, str) and re.fullmatch(rf"(?:{'|'.join(prefixes)})_\w+", text)
        }
    return found


def test_every_metric_of_the_scorers_is_declared():
    """The names as they stand in the scorers' sources, so that a new one cannot be forgotten."""
    tracks = literals(
        "rnaseq_tracks", "base_nonzero", "base_zero", "base", "window", "gene_exon", "fold_change", "gene_deviation"
    )
    assert len(tracks) > 15 and tracks - {"window_bp"} <= set(find_kind("rnaseq_tracks").metrics)
    samples = literals("snp2gex", "cross_individual", "cross_gene", "gene_mean", "demeaned", "causal", "elastic_net")
    limits = {f"cross_individual_{limit}" for limit in ("of_ceiling", "ceiling_limit", "of_sqrt_h2", "sqrt_h2_limit")}
    assert samples - {"cross_individual_of_"} | limits | {"mae", "r2"} == set(find_kind("snp2gex").metrics)
    of_sequences = declared("class_label") | declared("label_set") | declared("measured_values")
    of_sequences |= declared("class_pair")
    assert set(of_sequences) == set(find_kind("sequences").metrics)


def test_the_documentation_has_every_metric_of_genes_in_samples():
    text = (Path(__file__).parents[3] / "docs/snp2gex.md").read_text().split("## The benchmark")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", text, re.M)
    assert {name for cell in cells for name in re.findall("`([a-z0-9_]+)`", cell)} == set(find_kind("snp2gex").metrics)


def test_no_kind_is_named_outside_its_own_files():
    for path in REPORT.rglob("*"):
        if path.suffix in (".py", ".html", ".js", ".css") and path.stem.split(".")[0] not in KINDS:
            text = re.sub(r"\bLevel\(.*\)", "", path.read_text())  # units are English words
            for name in KINDS:
                pattern = rf"[\"'`]{name}[\"'`]" if name.isalpha() else rf"\b{name}\b"  # an English word
                assert not re.search(pattern, text), (path.name, name)


def test_an_unknown_kind_has_a_general_description_and_no_page():
    kind = find_kind("no_such_kind")
    metric = kind.metric("base_kl")
    assert not kind.has_pages and not metric.declared and not metric.ranks and metric.title == "base kl"
    assert find_kind("../pages/snp2gex").metrics == {}


LOGGED = {
    "loss": ("training loss", "lower"),
    "eval_loss": ("validation loss", "lower"),
    "bits_per_base": ("bits per base", "lower"),
    "eval_cross_entropy": ("validation cross-entropy", "lower"),
    "base_kl": ("KL divergence per base", "lower"),
    "test_ece": ("test ECE", "lower"),
    "eval_mcc": ("validation MCC", "higher"),
    "learning_rate": ("learning rate", "none"),
    "grad_norm": ("norm of the gradient", "none"),
    "eval_something": ("eval something", "none"),
}


@pytest.mark.parametrize("name", LOGGED)
def test_logged_quantities_have_the_direction_that_is_declared(name):
    words = find_kind("sequences").quantity(name)
    assert (words.label, words.direction) == LOGGED[name]


def test_a_quantity_of_a_kind_is_not_known_to_another():
    assert find_kind("rnaseq_tracks").quantity("eval_log1p_pearson").direction == "higher"
    assert find_kind("sequences").quantity("eval_log1p_pearson").direction == "none"


TOY = """
from glmflow.report.kinds import Section
from glmflow.report.verdict import Verdict
from glmflow.report.wording import Level, Words

HEADLINE = "base_kl"
LINK = "Toys"
LEVELS = {"toy": Level("Per toy", "per toy", "One value a toy.", "toys")}
METRICS = {
    "base_kl": Words("KL", "lower", "toy", "Less is better."),
    "test_ece": Words("ECE", "lower", "toy", "Less is better."),
    "toys_count": Words("toys", "none", "toy", "A count.", count=True),
}


def page(study, task):
    return f"<h1>Page of {task}</h1>" if task == "one" else None


def sections(study, tasks):
    return [Section("quality", "toys", "All toys", f"<p>{len(tasks)} tasks</p>")]


def warnings(study, tasks):
    return [("toys", "beware")]
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A kind `toy` in a file of its own."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY)
    monkeypatch.setattr(pages, "__path__", [*pages.__path__, str(folder)])
    find_kind.cache_clear()
    yield
    find_kind.cache_clear()


def write_run(folder, task, model, values):
    run = folder / "runs" / task / model / "full/seed1"
    run.mkdir(parents=True)
    lines = [METRIC_COLUMNS]
    for metric, value in values.items():
        row = (
            "s",
            task,
            model,
            "full",
            1,
            "test",
            "all",
            "all",
            9,
            metric,
            "strict",
            value,
            value - 0.1,
            value + 0.1,
            7,
        )
        lines.append([str(cell) for cell in row])
    (run / "metrics.tsv").write_text("\n".join("\t".join(line) for line in lines) + "\n")
    (run / "run.yaml").write_text("task: {kind: toy}\nadaptation: {kind: full}\n")
    return RunFolder(task, model, "full", 1, run)


@pytest.mark.usefixtures("undrawn")
def test_a_kind_is_added_by_one_file(toy, tmp_path):
    folder = tmp_path / "results/s"
    runs = tuple(
        write_run(folder, task, model, {"base_kl": kl, "test_ece": kl / 2, "toys_count": 5, "secret_score": 1.0})
        for task in ("one", "two")
        for model, kl in (("worse", 0.9), ("better", 0.2))
    )
    asked = {"one": "toys.html", "two": "toys.two.html", "gone": "gone.html"}
    write_report(ReportInputs("s", folder, runs, pages=asked), tmp_path / "report")
    index = (tmp_path / "report/index.html").read_text()
    assert index.count("The runs were not compared on KL per toy (test split), so nothing can be said") == 2
    assert "toys of the test split" in index and "<p>2 tasks</p>" in index and "beware" in index
    assert index.count("The metric secret_score is not declared for this kind of task") == 2
    assert 'href="toys.html">Toys: one' in index and 'href="toys.two.html">Toys: two' in index
    assert (tmp_path / "report/toys.html").read_text() == "<h1>Page of one</h1>"
    assert "There is nothing to show here." in (tmp_path / "report/toys.two.html").read_text()
    assert "The study has no run of this task." in (tmp_path / "report/gone.html").read_text()


def test_a_module_without_declarations_is_a_kind_that_declares_nothing():
    kind = Kind("bare", ModuleType("bare"))
    assert (kind.headlines, kind.metrics, kind.link, kind.call("page", None, "t")) == ((), {}, "Bare", None)
    assert Level("a", "b", "c").unit == "examples" and not Words("a", "none", "b").count
