"""DNA and text in one model: rows and labels, what is learned of text, controls, and what is refused."""

import json

import numpy as np
import pytest
import torch
from glmflow.cli import main
from glmflow.config.models import Pretrain
from glmflow.corpus.text_controls import TEXTS, among, asked_features, costs_behind_texts
from glmflow.errors import InputError
from glmflow.models import load_model, new_model
from glmflow.models.byte_text import BASES, END, FIRST, OVER, VOCABULARY, bases_of_row, row_of, text_ids
from glmflow.models.costs_behind_text import nats_behind
from glmflow.models.drawing import Sampling, draw
from glmflow.models.families.small import VOCABULARY as SINGLE_BASES
from glmflow.plan.resources import shape_of_made
from glmflow.statistics.saved_bits import saved_bits
from glmflow.training.language_loss import IGNORE
from glmflow.training.pair_source import PairRows, PairSource, pair_batch
from glmflow.training.pretrain import pretrain
from pydantic import ValidationError

PRODUCTS = ("kkkk", "wwww", "zzzz", "qqqq")
"""Each names the base that eight or nine of ten are."""
LENGTH, FREQUENT = 8, 0.85
CONFIG = {"causal": True, "hidden_size": 32, "num_layers": 1, "num_heads": 2, "context": 96}


def test_bases_and_text_share_no_id_and_bases_have_those_of_single_base_families():
    assert {letter: SINGLE_BASES[letter] for letter in "ACGTN"} == BASES
    assert text_ids("A\n").tolist() == [FIRST + 65, FIRST + 10] and len(text_ids("é")) == 2
    assert min(text_ids("\0")) > max(*SINGLE_BASES.values(), OVER, END) and FIRST + 256 == VOCABULARY


@pytest.mark.parametrize(
    ("to_dna", "length", "ids", "asked", "whole"),
    [
        (True, 10, [FIRST + 97, OVER, 2, 3, 6, END], 4, True),
        (False, 10, [2, 3, 6, OVER, FIRST + 97, END], 2, True),
        (True, 4, [FIRST + 97, OVER, 2], 1, False),
        (False, 5, [2, 3, OVER, FIRST + 97, END], 2, True),
    ],
)
def test_rows_by_hand(to_dna, length, ids, asked, whole):
    row = row_of("a", "ACR", to_dna, length)
    assert (row.ids.tolist(), row.asked, row.whole) == (ids, asked, whole) and len(row.ids) <= length


def test_of_a_long_text_the_end_is_shown_where_it_speaks_of_the_feature():
    end = [FIRST + ord(letter) for letter in "def"]
    row = row_of("abcdef", "ACGT", True, 6)
    assert (row.ids.tolist(), row.asked, row.whole) == ([*end, OVER, 2], 1, False)
    row = row_of("abcdef", "ACGT", False, 6)
    assert (row.ids.tolist(), row.asked, row.whole) == ([2, OVER, *end, END], 4, True)


def test_labels_are_the_next_tokens_of_the_target_and_no_others():
    pairs = [
        {"order": "text_to_dna", "prompt": "ab", "target": "ACGT", "split": "train"},
        {"order": "dna_to_text", "prompt": "ACGT", "target": "b", "split": "train"},
    ]
    batch = pair_batch([PairRows(pairs, 20)(n, None) for n in range(2)])
    assert batch["labels"].tolist() == [
        [IGNORE, IGNORE, 2, 3, 4, 5, END, IGNORE],
        [IGNORE, IGNORE, IGNORE, IGNORE, FIRST + 98, END, IGNORE, IGNORE],
    ]
    assert batch["attention_mask"].sum(1).tolist() == [8, 7]
    alone = pair_batch([PairRows(pairs[:1], 20, bases_alone=True)(0, None)])["labels"]
    assert alone[alone != IGNORE].tolist() == [2, 3, 4, 5]


def pair(number, product, dna, split="train", order="text_to_dna"):
    tags = {"species": "M", "product": product}
    text = f"<species>M</species><product>{product}</product>"
    prompt, target = (text, dna) if order == "text_to_dna" else (dna, text)
    shared = {"id": f"f{number}", "cluster": number, "transl_table": 11, "type": "CDS", "tags": tags}
    return shared | {"split": split, "order": order, "prompt": prompt, "target": target}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of features whose product names their most frequent base."""
    torch.set_num_threads(1)
    folder, rng, lines = tmp_path_factory.mktemp("pairs"), np.random.default_rng(1), []
    for number in range(400):
        product = number % 4
        split = "test" if number >= 360 else "validation" if number >= 340 else "train"
        shares = np.where(np.arange(4) == product, FREQUENT, (1 - FREQUENT) / 3)
        dna = "".join(rng.choice(list("ACGT"), LENGTH, p=shares))
        lines += [pair(number, PRODUCTS[product], dna, split, order) for order in ("text_to_dna", "dna_to_text")]
        if split == "train" and number % 5 == 0:
            lines[-2]["prompt"] = "" if number % 2 else "<species>M</species>"
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = {"family": "small", "config": CONFIG, "pairs": str(path), "length": 96, "steps": 200, "batch": 16}
    settings |= {"learning_rate": 5e-3}
    pretrain(settings, PairSource(path), 1, folder / "training", folder / "model")
    return folder, path


def test_text_saves_what_it_tells_and_controls_save_less(trained, capsys):
    folder, path = trained
    arguments = ["described", "--model", str(folder / "model"), "--pairs", str(path), "--candidates", "4"]
    assert main([*arguments, "--output", str(folder / "bits.tsv")]) == 0
    rows = [line.split("\t") for line in (folder / "bits.tsv").read_text().splitlines()[1:]]
    saved, beyond = (
        {text: (float(value), float(low)) for what, text, value, low, *_ in rows if what == name}
        for name in ("saved", "saved beyond")
    )
    pairs = [json.loads(line) for line in path.read_text().splitlines()]
    held_out = [one for one in pairs if one["split"] == "test" and one["order"] == "text_to_dna"]
    frequent = [base == "ACGT"[PRODUCTS.index(one["tags"]["product"])] for one in held_out for base in one["target"]]
    known = -np.log2(
        np.where(frequent, FREQUENT, (1 - FREQUENT) / 3)
    ).mean()  # what the bases cost who knows the source
    behind = next(float(value) for what, text, value, *_ in rows if what == "bits per base" and text == "own text")
    assert known - 0.05 < behind < known + 0.3
    assert saved["own text"][0] > max(saved["organism alone"][0], saved["text of another feature"][0])
    assert beyond["text of another feature"][1] > 0.1 and beyond["organism alone"][1] > 0.1
    assert beyond["organism alone"][0] == pytest.approx(saved["own text"][0] - saved["organism alone"][0], abs=1e-6)
    first = next(float(value) for what, _, value, *_ in rows if what == "true text first")
    assert first > 0.7
    assert "saved: own text" in capsys.readouterr().out
    page = (folder / "bits.html").read_text()
    assert "The text of a feature saves" in page and "Nothing shows" not in page
    assert all(f"<td>{text}</td>" in page for text in ("none", *saved))
    record = (folder / "model/model.yaml").read_text()
    assert "gate_required: true" in record and "text: bytes" in record


def test_what_is_drawn_is_what_its_text_says_and_as_long_as_features_are(trained):
    model = load_model(trained[0] / "model")
    for product, base in zip(PRODUCTS, "ACGT"):
        text = f"<species>M</species><product>{product}</product>"
        drawn = draw(model, [""] * 12, 40, Sampling(seed=1, text=text))
        assert "".join(one.sequence for one in drawn).count(base) > 0.65 * sum(len(one.sequence) for one in drawn)
        assert np.median([len(one.sequence) for one in drawn]) == LENGTH  # an end is drawn, not forty bases
    twice = [draw(model, ["AC"] * 3, 20, Sampling(seed=2, text="x"), cached=cached) for cached in (True, False)]
    assert [one.sequence for one in twice[0]] == [one.sequence for one in twice[1]]
    with pytest.raises(InputError, match="not trained on pairs"):
        draw(new_model("small", CONFIG), ["A"], 5, Sampling(text="<species>M</species>"))


def test_described_takes_the_folder_of_a_run_and_says_that_a_model_reads_no_text(trained, tmp_path, capsys):
    folder, path = trained
    arguments = ["--candidates", "2", "--retrieved", "1", "--split", "validation", "--output", str(tmp_path / "b.tsv")]
    assert main(["described", "--model", str(folder), "--pairs", str(path), *arguments]) == 0
    assert capsys.readouterr().err == f"{tmp_path}/b.html: the page\n"
    new_model("small", CONFIG).save(tmp_path / "mute")
    assert main(["described", "--model", str(tmp_path / "mute"), "--pairs", str(tmp_path / "none"), *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"glmflow described: {tmp_path}/mute: the model was not trained on pairs")


def test_the_loss_that_is_watched_is_one_of_bases(trained):
    folder, path = trained
    source = PairSource(path)
    (row, *_) = (source.held_out(96)(n, None) for n in range(len(source.held_out(96))))
    assert row["asked"] == LENGTH and row["ids"][-1] in BASES.values()
    assert source.composition() == pytest.approx([0.25] * 4, abs=0.03)
    watched = [json.loads(line) for line in (folder / "training/metrics.jsonl").read_text().splitlines()]
    losses = [line["eval_loss"] for line in watched if "eval_loss" in line]
    assert losses and losses[-1] < np.log(4)


def test_costs_are_those_of_each_row_alone(trained):
    folder, _ = trained
    model = load_model(folder / "model")
    asked = [("", "ACGTACGG"), ("<product>rich</product>", "GGCC"), ("x" * 300 + "rich", "ACGT" * 40)]
    together = nats_behind(model, asked)
    for (text, dna), nats in zip(asked, together):
        ids = torch.tensor([[*text_ids(text)[-48:], OVER, *(BASES[base] for base in dna[: bases_of_row(96)])]])
        with torch.no_grad():
            logs = model(ids).logits[0].log_softmax(-1)
        count = min(len(dna), 46)
        by_hand = -sum(float(logs[at - 1, ids[0, at]]) for at in range(ids.shape[1] - count, ids.shape[1]))
        assert nats == pytest.approx(by_hand, abs=1e-3)
    with pytest.raises(InputError, match="not trained on pairs"):
        nats_behind(new_model("small", CONFIG), asked)


def test_controls_say_what_they_should():
    pairs = [pair(n, f"alpha beta{n}", "ACGT", "test") for n in range(4)]
    found = asked_features(pairs, 1, bases=3)
    assert found["sequence"].tolist() == ["ACG"] * 4 and found["group"].tolist() == ["0", "1", "2", "3"]
    for number, one in enumerate(found.to_dict("records")):
        assert one["text_organism"] == "<species>M</species>"
        assert f"beta{number}" not in one["text_other"] and "alpha" in one["text_other"]
        own, mixed = (
            sorted(one[name].replace("<", " ").replace(">", " ").split()) for name in ("text", "text_shuffled")
        )
        assert own == mixed
    assert (found["text"] != found["text_shuffled"]).any()
    with pytest.raises(InputError, match="one cluster"):
        asked_features(pairs[:1], 1)


def test_the_text_of_another_feature_is_another_text_where_there_is_one():
    pairs = [pair(n, "hypothetical protein", "ACGT", "test") for n in range(9)] + [pair(9, "kinase", "ACGT", "test")]
    found = asked_features(pairs, 1)
    assert (found["text"] != found["text_other"]).all()


def test_features_of_one_name_are_kept_apart_and_a_text_is_looked_for_once():
    pairs = [pair(n, "ab"[n % 2], "ACGT", "test") | {"id": "f"} for n in range(4)]
    found = asked_features(pairs, 1)
    assert found["example"].is_unique
    lists = [names.split("\n") for names in among(found, 5, 4, 1)]
    assert all(len(names) == 2 for names in lists)  # two texts in all, whoever has them
    assert [names[0] for names in lists] == found["example"].tolist()


def test_text_that_changes_nothing_saves_nothing_and_ranks_in_the_middle():
    model = new_model("small", {**CONFIG, "vocab_size": VOCABULARY})
    with torch.no_grad():
        model.network.lm_head.weight.zero_()  # every token is as likely
    model.origin |= {"text": "bytes", "row": 64}
    features = asked_features([pair(n, f"p{n}", "ACGTT", "test") for n in range(5)], 1)
    features["among"] = among(features, 5, 3, 1)
    costs = costs_behind_texts(features, lambda asked: nats_behind(model, asked))
    nats = costs[[f"prediction_{key}" for key in TEXTS]]
    table = saved_bits(list(TEXTS.values()), nats, costs["bases"], features["group"], draws=20)
    assert table[table["what"] == "saved"]["value"].abs().max() < 1e-6
    bits = table[table["what"] == "bits per base"]["value"]
    assert bits.tolist() == pytest.approx([np.log2(VOCABULARY)] * 5, rel=1e-5)
    assert costs["rank"].dropna().tolist() == [3.0] * 3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"corpus": "c"}, "leave one out"),
        ({"objective": "masked_diffusion"}, "token by token"),
        ({"tags": "species"}, "tags is of a corpus"),
    ],
)
def test_settings_that_do_not_go_with_pairs_are_refused(more, message):
    with pytest.raises(ValidationError, match=message):
        Pretrain(family="small", pairs="p.jsonl", **more)


def test_the_plan_counts_the_vocabulary_of_text():
    plain = Pretrain(family="small", config=CONFIG)
    with_text = Pretrain(family="small", config=CONFIG, pairs="p.jsonl")
    found = shape_of_made(with_text).parameters - shape_of_made(plain).parameters
    assert found == (VOCABULARY - 8) * CONFIG["hidden_size"]


@pytest.mark.parametrize("text", ["{", '{"order": "text_to_dna"}'])
def test_a_file_of_something_else_is_said(tmp_path, text):
    (tmp_path / "p.jsonl").write_text(text + "\n")
    with pytest.raises(InputError, match="no pair with"):
        PairSource(tmp_path / "p.jsonl")
