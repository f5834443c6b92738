"""RWKV-7: chunks against the recurrence, the published package's outputs, carried state, causality, gradients, sizes."""

import json
import os
from pathlib import Path

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models import new_model
from glmflow.models.delta_rule import LONGEST, Step, recur, recur_in_chunks
from glmflow.plan.resources import shape_of

SMALL = {"hidden_size": 32, "num_layers": 2, "head_size": 16, "ffn_size": 64}


def drawn(length, seed=0, dtype=torch.float64, rows=2, heads=2, size=8):
    generator = torch.Generator().manual_seed(seed)
    r, k, v, kk, decay, a = torch.randn(6, rows, heads, length, size, generator=generator, dtype=dtype)
    step = Step(r, -0.6065 * decay.sigmoid(), k, v, torch.nn.functional.normalize(kk, dim=-1), a.sigmoid())
    return step, torch.randn(rows, heads, size, size, generator=generator, dtype=dtype)


@pytest.mark.parametrize("chunk", [1, 8, 32, 50])
def test_chunks_are_the_recurrence(chunk):
    step, state = drawn(50)
    outputs, last = recur(step, state)
    found, end = recur_in_chunks(step, state, chunk)
    torch.testing.assert_close(found, outputs, rtol=0, atol=1e-11)
    torch.testing.assert_close(end, last, rtol=0, atol=1e-11)


def test_the_longest_chunk_stays_within_float32():
    step, state = drawn(LONGEST, dtype=torch.float32)
    strongest = step._replace(log_w=torch.full_like(step.log_w, -0.6065306))
    found, _ = recur_in_chunks(strongest, state, LONGEST)
    torch.testing.assert_close(found, recur(strongest, state)[0], rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="1 to 128"):
        recur_in_chunks(step, state, LONGEST + 1)


def test_gradients_are_right():
    step, state = drawn(5, rows=1, heads=1, size=2)
    inputs = tuple(part.requires_grad_() for part in (*step, state))
    assert torch.autograd.gradcheck(lambda *parts: recur_in_chunks(Step(*parts[:6]), parts[6], 4), inputs)


def test_published_outputs():
    folder = os.environ.get("GLMFLOW_TEST_DATA")
    files = sorted(Path(folder, "genomes/expected").glob("rwkv7_*.json")) if folder else []
    if not files:
        pytest.skip("GLMFLOW_TEST_DATA is unset, or has no genomes")
    from safetensors.torch import load_file

    for path in files:
        wanted, weights = json.loads(path.read_text()), load_file(path.with_suffix(".safetensors"))
        att = {name: weights[f"blocks.0.att.{name}1"].shape[1] for name in "wavg"}
        config = {
            "hidden_size": wanted["n_embd"],
            "num_layers": wanted["n_layer"],
            "head_size": wanted["head_size"],
            "ffn_size": len(weights["blocks.0.ffn.key.weight"]),
            "vocab_size": wanted["vocab"],
            "ranks": att,
        }
        network = new_model("rwkv7", config).network
        network.load_state_dict(weights)
        ids = torch.tensor(wanted["tokens"])[None]
        with torch.no_grad():
            states, end = network.carry(ids, network.start(1))
            logits = network.logits(states)[0]
        torch.testing.assert_close(logits, torch.tensor(wanted["logits"]), rtol=0, atol=wanted["tolerance"])
        memory = torch.tensor(wanted["final_state_layer0_head0"])
        torch.testing.assert_close(end[0].memory[0, 0], memory, rtol=0, atol=wanted["tolerance"])


@pytest.fixture(scope="module")
def network():
    made = new_model("rwkv7", SMALL, seed=1).network.double().eval()
    for parameter in made.parameters():  # freshly made, its blocks add nothing
        torch.nn.init.normal_(parameter, 0, 0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    return made


def test_a_state_carried_over_a_cut_is_no_cut(network):
    ids = torch.randint(2, 6, (2, 90), generator=torch.Generator().manual_seed(0))
    whole, end = network.carry(ids, network.start(2))
    first, state = network.carry(ids[:, :41], network.start(2))
    second, last = network.carry(ids[:, 41:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=1e-9)
    for one, other in zip(last, end):
        torch.testing.assert_close(one.memory, other.memory, rtol=0, atol=1e-9)


def test_what_stands_to_the_right_changes_nothing(network):
    ids = torch.randint(2, 6, (1, 70), generator=torch.Generator().manual_seed(1))
    changed = ids.clone()
    changed[0, 40] = 2 + (ids[0, 40] - 1) % 4
    one, other = network.states(ids), network.states(changed)
    torch.testing.assert_close(one[:, :40], other[:, :40], rtol=0, atol=1e-10)
    assert (one[:, 40:] - other[:, 40:]).abs().amax(-1).min() > 0


# Width and depth of the ladder, and its parameters in millions over eight letters.
@pytest.mark.parametrize(
    ("size", "layers", "millions"),
    [(384, 8, 15.79), (512, 10, 34.51), (704, 12, 76.41), (896, 16, 164.5), (1152, 20, 338.1)],
)
def test_parameters_of_the_ladder(size, layers, millions):
    found = shape_of({"hidden_size": size, "num_layers": layers}, "rwkv7").parameters
    assert found == pytest.approx(millions * 1e6, rel=0.002)


def test_the_plan_counts_what_is_there():
    made = new_model("rwkv7", SMALL)
    assert shape_of(SMALL, "rwkv7").parameters == sum(
        p.numel() for name, p in made.named_parameters() if "head" not in name
    )


@pytest.mark.parametrize("config", [{"hidden_size": 100}, {"chunk": 500}, {"depth": 3}])
def test_sizes_that_make_no_sense(config):
    with pytest.raises(InputError):
        new_model("rwkv7", config)
