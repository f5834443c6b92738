"""Kind `generation`: copies, real sequences and chains are told apart, and what is blocked is nowhere on the disk."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from glmflow.baselines.fitting_data import FittingData
from glmflow.baselines.generation import fit_chain
from glmflow.bases import other_strand
from glmflow.checks.examples_audit import audited
from glmflow.config.baselines.drawing_baselines import MarkovChain
from glmflow.config.simulation import Coding
from glmflow.config.tasks.generation import Generation
from glmflow.corpus.corpus_build import build
from glmflow.corpus.corpus_store import Exclusions, write_record
from glmflow.corpus.part_names import origin_of, part_name
from glmflow.dna.markov import Chain
from glmflow.errors import InputError
from glmflow.files import write_table
from glmflow.likeness.further_measures import Further
from glmflow.likeness.protein_families import family_counts
from glmflow.likeness.told_tables import told_table
from glmflow.report.pages.generation import called
from glmflow.simulate.coding_genome import simulate_coding
from glmflow.statistics.stored import digest
from glmflow.tasks.generation import examples, judged, score
from glmflow.tasks.generation.drawn_squares import squares
from glmflow.tasks.tables import Division
from pydantic import ValidationError

PIECE = 400
GATE = {"acknowledged": "a simulated genome"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A genome of genes, its last third held out: task, files, examples, and the sequence itself."""
    folder = tmp_path_factory.mktemp("generation")
    simulate_coding(
        Coding(contigs={"g": 30_000}, gene_bp=(120, 300), families=3), folder / "g.fa", folder / "genes.csv"
    )
    text = "".join((folder / "g.fa").read_text().splitlines()[1:])
    settings = {"sources": [{"path": str(folder / "g.fa"), "division": "made"}]}
    split = {"by": "position", "validation": 0, "test": 0.4, "max_shared": 0.5}
    build(settings | {"split": split}, folder / "corpus")
    ways = {"one": {"temperature": 1.0}, "two": {"temperature": 0.5}}
    task = Generation.model_validate(
        {
            "kind": "generation",
            "corpus": "c",
            "prompts": 6,
            "prompt_bp": 20,
            "length": PIECE,
            "ways": ways,
            "gate": GATE,
        }
        | {"bootstrap": 30}
    )
    files = {"corpus": str(folder / "corpus/sequences.parquet"), "tables": str(folder / "tables")}
    found = examples(task, files, Division())
    for name, table in found.facts.items():
        write_table(table, folder / "tables" / name)
    return task, files, found, text


def scored(made, texts, verdicts=None):
    """Score sequences that are the same in both ways."""
    task, files, found, _ = made
    table = found.table
    verdicts = verdicts or ["passed"] * len(texts)
    by_name = dict(zip(dict.fromkeys(table["group"]), zip(texts, verdicts)))
    predictions = pd.DataFrame(
        [(row.example, by_name[row.group][1], 0.0, by_name[row.group][0]) for row in table.itertuples()],
        columns=["example", "verdict", "log_likelihood", "prediction"],
    )
    keys = {"study": "s", "task_label": "t", "model_label": "m", "adaptation_label": "a", "seed": 1}
    return score(keys | {"task": task.model_dump(mode="json")}, table, predictions, Path("none"), files)


def value(result, metric, way="one"):
    rows = result.metrics.set_index(["subset", "metric"])["value"]
    return rows[way, metric]


def test_prompts_are_of_the_test_part_and_alike_in_all_ways(made):
    _, _, found, text = made
    table = found.table
    assert len(table) == 12 and table["example"].is_unique and set(table["subset"]) == {"one", "two"}
    assert table.groupby("group")["sequence"].nunique().eq(1).all()
    places = table["group"].str.rsplit("_", n=1).str[1].astype(int)
    for place, prompt in zip(places, table["sequence"]):
        assert text[18_000 + place : 18_000 + place + 20] == prompt
    for place, behind in zip(places, table["following"]):
        assert behind == (text[18_000 + place + 20 :][:30] if place + 50 <= 12_000 else "")
    assert dict(zip(found.counts["item"], found.counts["count"]))["pieces of Markov-5"] == 6


def test_copies_of_training_are_found_and_real_sequences_are_none(made):
    *_, text = made
    copies = scored(made, [text[start : start + PIECE] for start in range(0, 6000, 1000)])
    assert value(copies, "copied") == 1 and value(copies, "longest_match", "two") == PIECE
    real = scored(made, [text[start : start + PIECE] for start in range(18_000, 30_000, 2000)])
    assert value(real, "copied") < 0.4 and value(real, "longest_match") < 100
    chance = scored(made, ["".join(np.random.default_rng(n).choice(list("ACGT"), PIECE)) for n in range(6)])
    assert value(real, "js_3") < value(chance, "js_3")
    assert "hold a longer exact match" in " ".join(copies.tables["findings.tsv"]["finding"])


def test_a_search_in_a_part_of_training_says_so(made):
    task, files, _, text = made
    part = task.model_copy(update={"most_training": 9000})
    found = examples(part, files, Division())
    check = found.checks.set_index("check").loc["training bases that copies are not looked for in"]
    assert (check["found"], check["of"], check["status"]) == (9000, 18_000, "WARN")
    copies = [text[start : start + PIECE] for start in range(0, 18_000, 3000)]
    said = [
        " ".join(scored((own, files, found, text), copies).tables["findings.tsv"]["finding"]) for own in (part, task)
    ]
    assert "Copies were looked for in 9,000 of 18,000 training bases (50%)" in said[0] and "looked for" not in said[1]


def test_long_sequences_are_followed_along_their_length_beside_real_ones(made):
    *_, text = made
    frayed = [text[start : start + 1080] + "A" * 120 for start in range(18_000, 29_000, 1100)][:6]
    along = scored(made, frayed).tables["along.tsv"]
    assert set(along["way"]) == {"one", "two"}
    value = along.set_index(["way", "statistic", "group", "part"])["value"]
    assert value["two", "low complexity", "generated", 10] > 0.8
    assert value["two", "low complexity", "real, held out", 10] < 0.5
    assert "along.tsv" not in scored(made, [one[:400] for one in frayed]).tables  # parts of 40 bases say nothing


def test_squares_are_windows_of_what_was_drawn_real_and_chains(made):
    *_, text = made
    table = made[2].table.query("subset == 'one'")
    drawn = [text[start : start + PIECE] for start in range(18_000, 30_000, 2000)]
    found = scored(made, ["", *drawn[1:]], ["blocked", *["passed"] * 5]).tables["squares.tsv"]
    own = found.query("way == 'two'").groupby("group")["bases"].apply(list)
    assert set(found["side"]) == {20} and set(own.index) == {
        "generated",
        "real, held out",
        "Markov-5",
    }  # of 420 bases 400
    prompts = table["sequence"].tolist()
    assert own["generated"] == [prompts[at] + drawn[at][:380] for at in (1, 2, 3)]
    assert all(one in text[18_000:] for one in own["real, held out"]) and len(own["Markov-5"]) == 3
    small = squares("one", ["ACGT" * 60], [text], Chain([text], 5), np.random.default_rng(1))
    assert small.empty  # 240 bases are a square of 15


def test_what_really_follows_a_prompt_is_recovered_by_who_knows_it(made):
    table = made[2].table.query("subset == 'one'")
    generator = np.random.default_rng(8)
    rest = "".join(generator.choice(list("ACGT"), PIECE))
    known = [behind + rest[30:] for behind in table["following"]]
    half = [behind[:15] + other_bases(behind[15:]) + rest[30:] for behind in table["following"]]
    assert value(scored(made, known), "bases_recovered") == 1
    found = scored(made, half)
    assert value(found, "bases_recovered") == pytest.approx(0.5)
    rows = found.tables["recovered.tsv"].query("way == 'one'").set_index("group")
    assert rows["n"].eq(6).all() and rows["bases"].eq(30).all()
    common = max("ACGT", key=made[3][:18_000].count)
    by_hand = np.mean([behind.count(common) / 30 for behind in table["following"]])
    assert rows.loc["the most frequent base", "recovered"] == pytest.approx(by_hand)
    assert rows.loc["the most frequent base", "beyond"] == pytest.approx(0.5 - by_hand)
    assert any(
        "Of the 30 bases that really follow a prompt 50%" in said for said in found.tables["findings.tsv"]["finding"]
    )
    blocked = scored(made, ["", "", "", "", *known[4:]], ["blocked"] * 4 + ["passed"] * 2)
    assert "bases_recovered" not in set(blocked.metrics["metric"]), "two prompts say nothing"


def other_bases(text):
    return text.translate(str.maketrans("ACGT", "CGTA"))


def test_units_are_sequences_and_blocked_ones_weigh_nothing(made):
    *_, text = made
    texts = [text[start : start + PIECE] for start in range(18_000, 30_000, 2000)]
    verdicts = ["blocked", *["passed"] * 5]
    blocked = scored(made, ["", *texts[1:]], verdicts)
    assert value(blocked, "released") == pytest.approx(5 / 6)
    stored = blocked.units["\t".join(("test", "one", "all", "", "js_6"))]
    assert stored.score.influence.shape == (6, 1) and not stored.higher
    assert stored.score.value == pytest.approx(value(blocked, "js_6"))
    names = made[2].table.query("subset == 'one'")["example"]  # of blocked ones too: runs are compared on all of them
    assert stored.units == digest(names)
    none = scored(made, [""] * 6, ["blocked"] * 6)
    assert value(none, "released") == 0 and set(none.metrics["metric"]) == {"released"}
    assert "Fewer than three pieces" in none.tables["findings.tsv"]["finding"].iloc[0]


def test_judge_embedding_motifs_and_families_are_scored_as_a_job_has_told_them(made, tmp_path):
    task, files, found, text = made
    embed = lambda piece: np.array([piece.count(base) for base in "ACG"], float)  # noqa: E731
    hits = lambda piece: family_counts([[0], [], [1] if "CGC" in piece else []], 2, len(piece))  # noqa: E731
    sites = lambda piece: np.array(["A" in piece, "CGCG" in piece])  # noqa: E731
    told = Further(lambda piece: 1.5 * len(piece), embed, sites, hits)
    real = judged(task, files, None)
    stored = pd.read_parquet(Path(files["tables"]) / "facts.parquet")
    wanted = [piece for group in real.groups.values() for piece in group]
    table = told_table(wanted, real.reference, told)
    assert set(stored["piece"]) - {""} <= set(
        table["piece"]
    )  # the pieces that were measured, without a base on the disk
    assert "sequence" not in stored and set(stored["group"]) - {""} == set(real.groups)
    texts = [text[start : start + PIECE] for start in range(18_007, 29_600, 2000)]
    drawn = judged(task, {}, pd.DataFrame({"prediction": ["", *texts]}))
    assert [piece for group in drawn.groups.values() for piece in group] == texts and not drawn.reference
    paths = [str(tmp_path / name) for name in ("real.parquet", "own.parquet")]
    write_table(table, paths[0])
    write_table(told_table(texts, [], told), paths[1])
    asking = task.model_copy(update={"judge": "other", "embed": "other", "motifs": "some.meme", "hmms": "some.hmm"})
    result = scored((asking, files | {"told": paths}, found, text), texts)
    assert value(result, "judge_bits") == pytest.approx(1.5)
    assert 0 <= value(result, "frechet") < 5 and 0 < value(result, "motif_jaccard") <= 1
    two = sum("CGC" in text for text in texts)
    assert value(result, "family_share") == pytest.approx((6 + two) / 18)
    assert value(result, "family_hits") == pytest.approx((6 + two) / (6 * PIECE / 1000))
    said = " ".join(result.tables["findings.tsv"]["finding"])
    assert f"in a family of some.hmm is {(6 + two) / 18:.3g} (real ones: " in said
    assert "Under other, which drew none of them, a base costs 1.5 bits" in said and "some.meme" in said
    with pytest.raises(InputError, match="asked about other pieces"):
        scored((asking, files | {"told": paths[:1]}, found, text), texts)


def test_a_chain_passes_the_gate_as_a_model_does(made, tmp_path):
    task, files, found, _ = made
    settings = {"task": task.model_dump(mode="json"), "seed": 3, "task_label": "t"}

    def drawn(folder, gate=GATE):
        own = settings | {"task": settings["task"] | {"gate": gate}}
        hazards = {"hazards": gate.get("hazards", []), "proteins": []}
        return fit_chain(FittingData(MarkovChain(kind="markov_chain"), own, found.table, files | hazards))(folder)

    free = drawn(tmp_path / "free")
    assert set(free["prediction"].str.len()) == {PIECE} and set(free["verdict"]) == {"not screened"}
    assert free["example"].tolist() == found.table["example"].tolist()
    bad = free["prediction"][2]
    (tmp_path / "plague.fa").write_text(f">plague\n{bad[100:200]}\n")
    again = drawn(tmp_path / "screened", {"hazards": [str(tmp_path / "plague.fa")]})
    assert again["verdict"].tolist().count("blocked") >= 1 and again["prediction"][2] == ""
    record = json.loads((tmp_path / "screened/one/generation.json").read_text())
    assert record["counts"]["blocked"] >= 1
    written = b"".join(path.read_bytes() for path in (tmp_path / "screened").rglob("*") if path.is_file())
    assert bad[100:140].encode() not in written and not (tmp_path / "screened/.drawn").exists()
    corpus = Path(files["corpus"]).parent
    write_record(corpus, Exclusions(kept=1, reason="they are what is studied"))
    with pytest.raises(InputError, match="behind a screen"):
        drawn(tmp_path / "kept")
    write_record(corpus, Exclusions())
    assert not (tmp_path / "kept").exists() or not list((tmp_path / "kept").rglob("*.gz"))


def test_the_gate_has_to_be_set():
    given = {"kind": "generation", "corpus": "c"}
    for gate in ({}, {"acknowledged": "short"}, {"hazards": ["a.fa"], "acknowledged": "a reason in words"}):
        with pytest.raises(ValidationError, match="gate"):
            Generation.model_validate(given | {"gate": gate})
    with pytest.raises(ValidationError, match="piece"):
        Generation.model_validate(given | {"gate": GATE, "length": 100, "piece": 200})


def test_too_little_held_out_is_one_line(made):
    task, files, *_ = made
    with pytest.raises(InputError, match="too little to compare with"):
        examples(task.model_copy(update={"length": 3000}), files, Division())


@pytest.mark.parametrize(
    ("ways", "way", "name"),
    [
        (["as_learned"], "as_learned", "m"),
        (["as_learned"], "as_learned, no_near_copy", "m, no near copy"),
        (["a_1", "a_2"], "a_1", "m, a 1"),
        (["a_1", "a_2"], "a_1, no_near_copy", "m, a 1, no near copy"),
    ],
)
def test_groups_of_a_page_have_names_of_their_own(ways, way, name):
    run = SimpleNamespace(model="m", seed=1, task_settings={"ways": dict.fromkeys(ways)})
    assert called(run, way, several=False) == name


def test_a_prompt_that_training_holds_is_a_copy(made):
    task, files, found, text = made
    longer = task.model_copy(update={"prompt_bp": 200})
    prompts = examples(longer, files, Division())
    table = prompts.table
    first = table["group"].iloc[0]
    table = table.assign(sequence=table["sequence"].where(table["group"] != first, text[4_000:4_200]))
    after, copies = audited(prompts._replace(table=table), longer, files)
    planted = (after.table["group"] == first).to_numpy()
    assert (
        set(after.table["example"][planted]) <= set(copies["example"])
        and not after.table["no_near_copy"][planted].any()
    )
    drawn = [text[at : at + PIECE] for at in range(20_000, 20_000 + 6 * PIECE, PIECE)]
    result = scored((task, files, found._replace(table=found.table.assign(no_near_copy=~planted)), text), drawn)
    assert "test\tone, no_near_copy\tall\t\tjs_6" in result.units
    nothing = task.model_copy(update={"prompt_bp": 0})
    said = audited(examples(nothing, files, Division()), nothing, files)[0].checks.set_index("check")
    assert "start from nothing" in said.loc["copies of training", "detail"]


def test_held_out_regions_are_prompts(made, tmp_path):
    task, files, _, text = made
    bed = tmp_path / "regions.bed"
    contig = "g"
    bed.write_text(f"{contig}\t18500\t18560\tone\t0\t+\n{contig}\t20000\t20030\ttwo\t0\t-\n{contig}\t1\t40\n")
    given = files | {"regions": str(bed)}
    table = examples(task.model_copy(update={"prompts": 2, "copies": 3}), given, Division()).table
    prompts = dict(zip(table["group"], table["sequence"]))
    assert prompts == {
        f"{contig}:18500-18560": text[18540:18560],
        f"{contig}:20000-20030(-)": other_strand(text[20000:20020]),
    }
    behind = dict(zip(table["group"], table["following"]))
    assert list(behind.values()) == [text[18560:18590], other_strand(text[19970:20000])]
    with pytest.raises(InputError, match=r"regions\.bed:3: g:20-40 does not lie in the test part"):
        examples(task, given, Division())
    with pytest.raises(InputError, match=r"regions\.bed:2: a region of 30 bases is shorter than a prompt of 40"):
        examples(task.model_copy(update={"prompt_bp": 40}), given, Division())
    with pytest.raises(ValidationError, match="prompts of no base"):
        Generation.model_validate(task.model_dump() | {"regions": str(bed), "prompt_bp": 0})


def test_parts_of_parts_know_what_they_were_cut_from():
    assert origin_of("chr1") == ("chr1", 0)
    assert origin_of("chr1:100-900") == ("chr1", 100)
    assert origin_of("NC_1.2:1000-9000:200-500") == ("NC_1.2", 1200)
    assert part_name(part_name("NC_1.2", 1000, 9000), 200, 500) == "NC_1.2:1000-9000:200-500"
