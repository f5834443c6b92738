"""Questions as items and batches, arms, controls, and a run from training to new questions."""

import io
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from glmflow.apply.answer_questions import Variants, answers
from glmflow.config import read_study, run_settings
from glmflow.config.heads.answer_heads import TextAnswers
from glmflow.errors import InputError
from glmflow.genome.allele_change import change_of
from glmflow.models.heads import new_head
from glmflow.models.text.conversation import END
from glmflow.models.text.text_loading import new_text_model, new_tokenizer
from glmflow.tasks.diagnosis import examples, score
from glmflow.tasks.diagnosis.official_answers import official_scores
from glmflow.training.finetune import finetune
from glmflow.training.inputs import written_answers
from glmflow.training.inputs.allele_views import Alleles, of_example, permuted, shuffled_flanks
from glmflow.training.inputs.question_items import AlleleQuestions, Words, padded
from glmflow.training.predict import predict
from glmflow.training.tuned import load_tuned

HEAD = {"kind": "text_answers", "hidden": 16, "layers": 1, "heads": 2, "vocabulary": 330, "stride": 16}


def study_of(head, tmp_path, text=None):
    """Return a study of one short run."""
    raw = {
        "study": "s",
        "tasks": {
            "t": {
                "kind": "diagnosis", "simulated": {"train": 40, "test": 12}, "flank": 20, "draws": 2, "bootstrap": 50,
                "splits": {"by": "official"},
            }
        },
        "models": {"m": {"new": {"family": "small", "config": {"hidden_size": 8, "num_layers": 1, "num_heads": 1}}}},
        "adaptations": {
            "a": {
                "kind": "full", "head": {**HEAD, **head} if head.get("kind", HEAD["kind"]) == HEAD["kind"] else head,
                "train": {"optimizer": "adamw", "steps": 2, "batch": 4, "micro_batch": 4, "evaluations": 1},
            }
        },
        "runs": [{"tasks": ["t"], "models": ["m"], "adaptations": ["a"]}],
    }  # fmt: skip
    path = tmp_path / "study.yaml"
    path.write_text(json.dumps(raw))
    return read_study(path)


@pytest.fixture
def trained(tmp_path):
    """Train and predict with a head; return task, settings, examples, the run's folder and its predictions."""

    def run(reason="", **head):
        study = study_of(head, tmp_path)
        task, settings = study.tasks["t"], run_settings(study, study.runs_of("t")[0])
        made = examples(task, {}, None)
        made.table["text_reasoning"] = reason
        folder = tmp_path / "run"
        (tables := tmp_path / "tables").mkdir()
        for name, table in made.facts.items():
            table.to_csv(tables / name, sep="\t", index=False)
        files = {"tables": str(tables)}
        finetune(settings, made.table, files, None, folder)
        predict(settings, made.table, files, folder / "model", folder)
        return task, settings | {"task": task.model_dump(mode="json")}, made, folder, files

    return run


def test_a_run_from_training_to_new_questions(trained, tmp_path):
    _, settings, made, folder, files = trained(dna="both", generate=3)
    predictions = pd.read_parquet(folder / "predictions.parquet")
    columns = [name for name in predictions if name.startswith("prediction_")]
    assert len(predictions) == 24 and len(columns) == made.facts["classes.tsv"].shape[0]
    assert predictions[columns].sum(axis=1).to_numpy() == pytest.approx(1)
    logs = pd.read_parquet(folder / "predicted/logp.parquet").drop(columns="example").to_numpy()
    assert (np.exp(logs).sum(axis=1) < 1).all(), "probabilities of whole texts add up to one over all texts"
    controls = pd.read_parquet(folder / "predicted/controls.parquet")
    assert Counter(controls["control"]) == Counter(
        {
            **{
                "others": 24,
                "shuffled": 24,
                "elsewhere": 24,
                "ref_as_alt": 12,
                "swapped": 12,
                "mean": 12,
                "no_dna": 12,
            },
            "no_words": 12,
        }
    )
    assert set(controls["example"]) == set(made.table.loc[made.table["split"] == "test", "example"])
    scored = score(settings, made.table, predictions, folder / "predicted", files)
    assert {"dna_lead", "variant_lead", "generated_accuracy"} <= set(scored.metrics["metric"])
    assert "verdict.tsv" in scored.tables
    published = pd.read_csv(io.StringIO(scored.tables["official.csv"]), sep="$")  # as the published code reads it
    assert (
        published["generation"].tolist()
        == pd.read_parquet(folder / "predicted/generated.parquet")["generation"].tolist()
    )
    texts = scored.metrics[scored.metrics["metric"] == "generated_accuracy"].set_index("protocol")["value"]
    assert official_scores(scored.tables["official.csv"])["accuracy"] == texts["official"]
    table = tmp_path / "new.jsonl"
    rows = made.table[made.table["split"] == "test"].head(3)
    keys = {"text_question": "question", "sequence_ref": "reference_sequence", "sequence_alt": "variant_sequence"}
    rows.rename(columns=keys)[list(keys.values())].to_json(table, orient="records", lines=True)
    found = answers(folder, table, most=2, sure=0.999)
    own = predictions.set_index("example").loc[rows["example"], columns]
    first = found[found["rank"] == 1]
    assert first["answer"].tolist() == [name.removeprefix("prediction_") for name in own.idxmax(axis=1)]
    assert first["probability"].to_numpy() == pytest.approx(own.max(axis=1).to_numpy(), abs=1e-5)
    assert len(found) == 6 and found["withheld"].all()
    lines = [f">q{row}\n{one.sequence_ref}\n" for row, one in enumerate(rows.itertuples())]
    (tmp_path / "genome.fa").write_text("".join(lines))
    middle = len(rows["sequence_ref"].iloc[0]) // 2
    calls = [
        f"q{row}\t{middle + 1}\t.\t{one.sequence_ref[middle]}\t{one.sequence_alt[middle]}\t.\t.\t.\n"
        for row, one in enumerate(rows.itertuples())
    ]
    vcf = tmp_path / "calls.vcf"
    vcf.write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "".join(calls))
    about = answers(folder, Variants(vcf, tmp_path / "genome.fa", rows["text_question"].iloc[0]), most=1)
    assert about["variant"].str.split(":").str[0].tolist() == ["q0", "q1", "q2"]
    assert about["probability"].iloc[0] == pytest.approx(own.max(axis=1).iloc[0], abs=1e-5)
    listed = pd.read_parquet(folder / "predicted/held_to_list.parquet")
    assert set(listed["example"]) == set(controls["example"]) and set(listed["answer"]) <= {
        name.removeprefix("prediction_") for name in columns
    }
    assert "listed_accuracy" in set(scored.metrics["metric"])
    with pytest.raises(InputError, match="more than 4,096"):
        answers(folder, Variants(vcf, tmp_path / "genome.fa", "Which disease? " * 3000))
    explained = pd.read_parquet(folder / "predicted/attribution.parquet")
    assert explained["value"].notna().all() and set(explained["example"]) <= set(controls["example"])
    assert {"corrected_accuracy", "corrected_log_loss"} <= set(scored.metrics["metric"])
    assert {"attribution.tsv", "scan.tsv", "statements.tsv"} <= set(scored.tables)


@pytest.mark.parametrize(
    "head",
    [
        {"dna": "none"},
        pytest.param({"dna": "mean"}, marks=pytest.mark.slow),
        pytest.param({"kind": "allele_classifier", "heads": 2}, marks=pytest.mark.slow),
    ],
)
def test_arms_without_words_or_dna(trained, head):
    _, _, made, folder, _ = trained(**head)
    predictions = pd.read_parquet(folder / "predictions.parquet")
    controls = folder / "predicted/controls.parquet"
    assert controls.exists() == ("kind" in head)
    if "kind" in head:
        return
    own = made.table.merge(predictions, on="example").drop_duplicates("text_question")
    every = made.table.merge(predictions, on="example")
    columns = [name for name in predictions if name.startswith("prediction_")]
    by_question = every.groupby("text_question")[columns].std().fillna(0).to_numpy()
    assert by_question.max() < 1e-5 and len(own) > 1, "the same text has the same answer, whatever its alleles"


# --- items -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words():
    tokenizer = new_tokenizer(["Which disease? Answer: amber fever"] * 3, 320)
    return Words(tokenizer, ["amber fever", "no disease"], False, 0.5)


def table(rows):
    return pd.DataFrame(
        [
            {"example": f"q{number}", "text_question": "Which?", "text_reasoning": "Because.", "target": answer}
            for number, answer in enumerate(rows)
        ]
    )


@pytest.mark.slow
def test_texts_are_drawn_and_answers_ranked_behind_own_thoughts(trained, tmp_path, monkeypatch):
    _, settings, made, folder, files = trained(reason="a", traces=True, generate=4, samples=2)
    texts = pd.read_parquet(folder / "predicted/generated.parquet")
    assert texts.groupby("draw").size().tolist() == [12, 12, 12]
    one, other = (texts.loc[texts["draw"] == draw, "generation"].tolist() for draw in (1, 2))
    assert one != other, "each draw has seeds of its own"
    empty = pd.read_parquet(folder / "predicted/logp.parquet").set_index("example")
    behind = pd.read_parquet(folder / "predicted/thought.parquet").set_index("example")
    assert not behind["ended"].any(), "four tokens are no thought: the answers stand behind an empty one"
    np.testing.assert_allclose(behind[empty.columns], empty.loc[behind.index], atol=1e-4)
    scored = score(settings, made.table, pd.read_parquet(folder / "predictions.parquet"), folder / "predicted", files)
    assert {"drawn_accuracy", "thought_accuracy", "thoughts_ended"} <= set(scored.metrics["metric"])
    monkeypatch.setattr(
        written_answers, "written", lambda asking, batch, seeds: ["<think>\nb\n</think>"] * len(batch["targets"])
    )
    predict(settings, made.table, files, folder / "model", tmp_path / "again")
    thought = pd.read_parquet(tmp_path / "again/predicted/thought.parquet").set_index("example")
    assert thought["ended"].all() and not np.allclose(thought[empty.columns], empty.loc[thought.index], atol=1e-4)


def test_thoughts_are_those_before_their_end():
    assert written_answers.thought_of("<think>\na\nb\n</think>\n\nAnswer: c") == "a\nb"
    assert written_answers.thought_of("<think>\na") is None


def test_prompts_end_behind_thoughts(words):
    ids = words.prompt("Which?", thought="so")
    text = words.tokenizer.decode(ids[ids >= 0].tolist())
    assert text.endswith("<think>\nso\n</think>\n\n")
    assert words.prompt("Which?", thought="").tolist() == words.prompt("Which?").tolist()


def test_some_training_draws_show_no_change(words):
    view = of_example("ACGTACG", "ACGAACG", settings(3))
    items = AlleleQuestions(table(["amber fever"] * 2), [view, view], words, 0.3, 1)
    drawn = [items(0, np.random.default_rng(seed)) for seed in range(400)]
    same = [item for item in drawn if item["view"].ref == item["view"].alt]
    assert 0.2 < len(same) / 400 < 0.4 and {item["target"] for item in same} == {1}
    assert all(item["target"] == 0 for item in drawn if item["view"].ref != item["view"].alt)
    assert same[0]["view"].places() == ((3, 4), (3, 4))
    assert items(0, None)["target"] == 0
    assert words.tokenizer.decode(same[0]["answer"]) == f"Answer: no disease{END}"


def test_the_answer_has_its_share_of_the_loss_behind_a_trace(words):
    traced = Words(words.tokenizer, words.classes, True, 0.25)
    view = of_example("ACGTACG", "ACGAACG", settings(3))
    make, generator = AlleleQuestions(table(["amber fever"]), [view], traced, 0.0, 1), np.random.default_rng(0)
    own = len(traced.answers[0])
    drawn = [make(0, generator) for _ in range(40)]
    assert 10 < sum(len(one["answer"]) == own for one in drawn) < 30, (
        "half of the draws are answered behind an empty thought"
    )
    item = next(one for one in drawn if len(one["answer"]) > own)
    assert item["weight"][-own:].sum() == pytest.approx(0.75 * own)
    assert item["weight"][:-own].sum() == pytest.approx(0.25 * own)
    assert traced.tokenizer.decode(item["answer"]).startswith("<think>\nBecause.\n</think>")
    plain = AlleleQuestions(table(["amber fever"]), [view], traced, 0.0, 1)(0, None)
    assert len(plain["answer"]) == own


def settings(flank, crop="change"):
    from types import SimpleNamespace

    return SimpleNamespace(flank=flank, crop=crop)


def test_a_pair_without_a_change_is_looked_at_in_its_middle():
    assert of_example("ACGTA", "ACGTA", settings(9)) == Alleles("ACGTA", "ACGTA", 2, 3, 3)


def test_swapped_and_unvaried_alleles_keep_their_place():
    view = of_example("AACCGG", "AACTTCGG", settings(9))
    assert view.unvaried().alt == view.ref and view.unvaried().places()[1] == view.places()[0]
    assert view.swapped().swapped() == view and view.swapped().ref == view.alt


@pytest.mark.parametrize(
    ("ref", "alt"),
    [("ACGT" * 16, "ACGT" * 8 + "T" + "CGT" + "ACGT" * 7), ("ACGTACGTAC", "ACGTACTTAC"), ("NNNNA", "NNNNC")],
)
def test_a_change_elsewhere_is_a_substitution_near_the_own_one(ref, alt):
    view = Alleles(ref, alt, *change_of(ref, alt))
    found = {view.elsewhere(seed) for seed in range(20)}
    for other in found:
        if ref.startswith("N"):
            assert other == view.unvaried(), "no base is left to be changed"
            continue
        assert other.ref == ref and change_of(other.ref, other.alt) == (other.start, other.ref_end, other.alt_end)
        assert other.ref_end == other.alt_end == other.start + 1 and other.start != view.start
        if len(ref) > 40:
            assert 8 <= abs(other.start - view.start) <= 16
    assert len(found) > 1 or ref.startswith("N")


def test_flanks_are_shuffled_alike_in_both_alleles():
    generator = np.random.default_rng(0)
    left, right = ("".join(generator.choice(list("ACGT"), 60)) for _ in range(2))
    view = of_example(f"{left}A{right}", f"{left}TT{right}", settings(60))
    found = shuffled_flanks(view, 1)
    assert found.ref != view.ref and found.ref[found.start : found.ref_end] == "A"
    assert (
        found.ref[: found.start] == found.alt[: found.start]
        and found.ref[found.ref_end :] == found.alt[found.alt_end :]
    )
    pairs = [Counter(text[place : place + 2] for place in range(59)) for text in (left, found.ref[:60])]
    assert pairs[0] == pairs[1] and shuffled_flanks(view, 1) == found and shuffled_flanks(view, 2) != found


def test_pairs_of_other_questions_have_another_answer():
    views = [Alleles("A", "C", 0, 1, number) for number in range(30)]
    given = ["x", "y", "z"] * 10
    found = permuted(views, given, 3)
    assert all(given[own.alt_end] != answer for own, answer in zip(found, given))
    assert permuted(views[:1], ["x"], 0) == views[:1]


def test_rows_are_filled_on_the_right():
    assert padded([np.array([1, 2]), np.array([3])], -2).tolist() == [[1, 2], [3, -2]]


# --- heads -------------------------------------------------------------------------------------------------------


def test_a_text_model_of_a_folder_is_adapted_and_only_what_changed_is_kept(tmp_path):
    tokenizer = new_tokenizer(["Which disease? Answer: a"] * 3, 320)
    text = new_text_model(tokenizer.size, 16, 1, 2, 0)
    text.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer.written())
    block = {"kind": "text_answers", "text": str(tmp_path), "rank": 2, "alpha": 2, "dropout": 0.0}
    given = {"classes": ["a", "b"], "flank": 4, "tokenizer": ""}
    torch.manual_seed(1)
    head = new_head(block, 6, given)
    kept = head.state_dict()
    assert any("lora_" in name for name in kept) and not any(name.endswith("embed_tokens.weight") for name in kept)
    trained = {name for name, one in head.named_parameters() if one.requires_grad}
    assert all("lora_" in name or name.startswith("bridge.") for name in trained)
    with torch.no_grad():
        for name, one in head.named_parameters():
            if name in trained:
                one.add_(0.1)
    again = new_head(block, 6, given)
    again.load_state_dict(head.state_dict())
    states = torch.randn(2, 9, 6)
    inside, change = torch.ones(2, 9, dtype=torch.bool), torch.tensor([[4, 5], [4, 5]])
    ids = torch.tensor([[1, -1, *tokenizer.encode("Which?")]])
    with torch.no_grad():
        first, second = (one.eval().ranked(one.vectors(states, inside, change), ids) for one in (head, again))
    assert torch.equal(first, second)
    with pytest.raises(RuntimeError, match="missing"):
        again.load_state_dict({})


def test_both_strands_are_read_at_the_same_base():
    from glmflow.models.heads.answer_heads import both_read

    inside = torch.tensor([[True] * 3 + [False], [True] * 4, [True] * 3 + [False], [True] * 4])
    states = torch.arange(16, dtype=torch.float32).reshape(4, 4, 1)
    found, own = both_read(states, inside)
    assert found.shape == (2, 4, 2) and torch.equal(own, inside[:2])
    assert found[0, :3, 1].tolist() == [10, 9, 8] and found[1, :, 1].tolist() == [15, 14, 13, 12]


@pytest.mark.parametrize(
    "block",
    [{"text": "x", "hidden": 4}, {"hidden": 10, "heads": 3}, {"tuning": "full", "rank": 2}, {"samples": 2}],
)
def test_heads_that_make_no_sense(block):
    with pytest.raises(ValueError, match=r"hidden|rank|samples"):
        TextAnswers.model_validate({"kind": "text_answers", **block})


def test_a_head_that_is_written_out_is_read_again():
    for block in ({"text": "qwen3-4b"}, {"tuning": "full"}, {"dna": "none"}):
        head = TextAnswers.model_validate({"kind": "text_answers", **block})
        assert TextAnswers.model_validate(head.model_dump()) == head


def test_a_tokenizer_that_joins_prompt_and_answer_is_refused():
    class Joining:
        def encode(self, text):
            return [len(text)]

    with pytest.raises(InputError, match="joins the answer"):
        Words(Joining(), ["a"], False, 0.5).require_joints()


def test_models_are_loaded_as_they_were_saved(trained):
    _, _, _, folder, _ = trained(dna="diff")
    model, run = load_tuned(folder / "model")
    assert run.task.target == "answer_text" and model.target.head.bridge.parts == ("ref", "diff")
    assert not any(own.requires_grad for own in model.parameters())
