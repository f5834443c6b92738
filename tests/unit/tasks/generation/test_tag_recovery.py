"""Tags are recovered from what was drawn by them, where k-mers tell them apart; the floor and what has no tag stand beside."""

import numpy as np
import pytest
from glmflow.bases import other_strand
from glmflow.config.tasks.generation import Generation
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Corpus
from glmflow.errors import InputError
from glmflow.likeness.tag_recovery import assigned, profiles_of
from glmflow.tasks.generation.tag_scores import tag_findings, tag_table

SHARES = {"poor": (0.4, 0.1, 0.1, 0.4), "rich": (0.1, 0.4, 0.4, 0.1)}


def drawn(length, name, seed):
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), length, p=SHARES[name]))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tags")
    for number, name in enumerate(SHARES):
        (folder / f"{name}.fa").write_text(f">{name}\n{drawn(20_000, name, number)}\n")
    sources = [{"path": str(folder / f"{name}.fa"), "division": name} for name in SHARES]
    split = {"by": "position", "validation": 0.1, "test": 0.2}
    build({"sources": sources, "split": split}, folder / "corpus")
    return Corpus(folder / "corpus")


def task(**ways):
    gate = {"acknowledged": "random bases of a test"}
    return Generation.model_validate(
        {"kind": "generation", "corpus": "c", "length": 300, "gate": gate, "bootstrap": 50, "ways": ways}
    )


def test_tags_of_pieces_on_either_strand():
    profiles = profiles_of({name: [drawn(5000, name, 9)] for name in SHARES})
    skewed = profiles_of({"purines": ["AG" * 500], "rest": ["AC" * 500]})
    assert assigned([drawn(200, "rich", 5), drawn(200, "poor", 6)], profiles) == ["rich", "poor"]
    assert assigned(["AG" * 40, other_strand("AG" * 40), "AC" * 40], skewed) == ["purines", "purines", "rest"]


def test_a_tag_is_recovered_beside_its_floor_and_what_was_drawn_without(corpus):
    ways = {"rich": [drawn(300, "rich", n) for n in range(6)] + [drawn(300, "poor", n) for n in range(2)]}
    ways["free"] = [drawn(300, name, 50 + n) for n in range(4) for name in SHARES]
    table = tag_table(task(rich={"tag": "rich"}, free={}), corpus, ways)
    rows = table.set_index("group")["recovered"]
    assert rows.to_dict() == {"generated": 0.75, "real, held out": 1.0, "drawn without a tag": 0.5}
    assert set(table["column"]) == {"division"} and set(table["tags"]) == {2} and table["n"].tolist() == [8, 13, 8]
    assert (table["low"] <= table["recovered"]).all() and (table["recovered"] <= table["high"]).all()
    (said,) = tag_findings(table)
    assert "75%" in said and "held-out real ones of it: 100% of 13" in said and "by chance 50%" in said


def test_no_tag_no_row_and_an_unknown_one_is_one_line(corpus):
    assert tag_table(task(free={}), corpus, {"free": ["ACGT" * 100]}).empty
    with pytest.raises(InputError, match="no training sequence is of 'green'"):
        tag_table(task(green={"tag": "green"}), corpus, {"green": ["ACGT" * 100]})
