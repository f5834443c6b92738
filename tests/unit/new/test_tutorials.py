"""The tutorials: their commands are run on small files of the names that they use, and what they show is what comes out."""

import re
import shlex

import pytest
import yaml
from glmflow.cli import main
from glmflow.config import read_study
from glmflow.simulate import simulate
from running import ROOT, run_snakemake

TUTORIALS = sorted(path for path in (ROOT / "docs/tutorials").glob("*.md") if path.stem != "README")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path, language):
    """The blocks of a language in a tutorial."""
    return [text for name, text in BLOCK.findall(path.read_text()) if name == language]


def commands(path, program):
    """The commands of a program in the `bash` blocks, as words; patterns of file names are expanded by the shell."""
    lines = [line for text in blocks(path, "bash") for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(f"{program} ")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files that the tutorials name: a simulated cohort, and tables cut from its genome."""
    folder = tmp_path_factory.mktemp("tutorials") / "files"
    settings = {
        "seed": 1,
        "contigs": dict.fromkeys(("chr1", "chr2", "chr3"), 120_000),
        "population": {"people": {"north": 8}},
        "tracks": {"replicates": 2},
    }
    simulate(settings, folder)
    bases = "".join(line for line in (folder / "genome.fa").read_text().split(">chr2")[0].splitlines()[1:])
    rows = [f"chr1\t{n + 1}\t{bases[n]}\t{'A' if bases[n] != 'A' else 'C'}" for n in range(5000, 6000, 10)]
    labels = ["pathogenic", "benign"] * (len(rows) // 2)
    table = ["chrom\tpos\tref\talt\tlabel", *(f"{row}\t{label}" for row, label in zip(rows, labels))]
    (folder / "variants.tsv").write_text("\n".join(table) + "\n")
    texts = [f"{bases[n : n + 120]},{('promoter', 'other')[n % 2]}" for n in range(0, 40_000, 201)]
    (folder / "sequences.csv").write_text("\n".join(["sequence,label", *texts]) + "\n")
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def expanded(words, folder):
    """Expand patterns of file names as a shell does."""
    return [
        name
        for word in words
        for name in (sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else [word])
    ]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_its_commands_run_and_say_what_it_shows(path, place, capsys):
    said = ""
    found = commands(path, "glmflow")
    assert found, "a tutorial has commands"
    for words in found:
        assert main(expanded(words, place)[1:]) == 0, capsys.readouterr().err
        said += capsys.readouterr().out
    read_study("mine.yaml")
    if path.stem.startswith("own_") and path.stem != "own_model":
        for line in blocks(path, "text")[0].splitlines():
            assert line in said


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_its_settings_are_read_and_its_links_lead_somewhere(path):
    for text in blocks(path, "yaml"):
        assert yaml.safe_load(text)
    for target in re.findall(r"\]\(([^)#h][^)#]*)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [path for path in TUTORIALS if commands(path, "snakemake")], ids=lambda path: path.stem
)
def test_the_workflow_takes_the_study(path, place):
    for words in commands(path, "glmflow"):
        assert main(expanded(words, place)[1:]) == 0
    dry = next(words for words in commands(path, "snakemake") if "-n" in words)
    done = run_snakemake(*dry[1:], directory=place)
    assert "This was a dry-run" in done.stdout and "score" in done.stdout and "report" in done.stdout


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_it_shows_what_one_sees_in_a_small_picture(path):
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text())
    assert (path.parent / picture).stat().st_size < 120_000
    assert len(path.read_text().splitlines()) < 100, "two pages at most"
