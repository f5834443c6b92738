"""States of frozen backbones: computed once per sequence, whoever asks, and found again."""

import pickle
import threading
from functools import partial

import numpy as np
import pytest
import torch
from glmflow.models import new_model
from glmflow.training import frozen_states
from glmflow.training.frozen_states import StateStore, compute, fill, open_states
from glmflow.training.inputs.gene_haplotypes import collate
from glmflow.training.tuned import RunBlocks, new_tuned
from tiny_genes import settings_of
from tiny_sequences import toy_study
from torch.utils.data import DataLoader

torch.set_num_threads(1)
LENGTH, BINS = 96, 4


def network(seed=1, bins=BINS):
    """A frozen model that counts the sequences its backbone reads."""
    adaptation = {"kind": "probe", "head": {"kind": "binned", "bins": bins, "hidden": 8}, "loss": "pairwise"}
    torch.manual_seed(0)
    adapter = new_model("promoter_cnn", {"filters": 4, "channels": 8}, seed=seed)
    model = new_tuned(RunBlocks.of(settings_of({}, adaptation)), adapter, {"mean": 0.0, "total": 1.0})
    model.read, states = 0, adapter.network.states

    def counted(ids, mask=None):
        model.read += len(ids)
        return states(ids, mask)

    adapter.network.states = counted
    return model


def genes(count=3, haplotypes=5, seed=0):
    """Distinct haplotypes of genes; the first one of all is the same sequence."""
    rng = np.random.default_rng(seed)
    found = [rng.choice(np.frombuffer(b"ACGT", np.uint8), (haplotypes, LENGTH)) for _ in range(count)]
    for sequences in found:
        sequences[0] = found[0][0]
    return found


def directly(model, sequences):
    with torch.no_grad():
        return model.features(model.adapter.tokenize(list(sequences), chunk=True))


def test_each_sequence_is_computed_once_and_found_by_later_jobs(tmp_path):
    model, windows = network(), genes()
    store = open_states(tmp_path, model)
    fill(store, model, windows, batch=2)
    assert model.read == len(store) == 3 * 5 - 2
    for sequences in windows:
        torch.testing.assert_close(store(sequences), directly(model, sequences))
    model.read, later = 0, network()
    again = open_states(tmp_path, later)
    fill(again, later, [*windows, genes(1, seed=5)[0]], batch=8)
    assert later.read == 5 and len(again) == 13 + 5
    assert torch.equal(again(windows[1]), store(windows[1]))


def test_states_belong_to_weights_bins_and_nothing_else(tmp_path):
    fill(open_states(tmp_path, network()), network(), genes(), batch=4)
    assert len(open_states(tmp_path, network())) == 13
    changed = network()
    with torch.no_grad():
        next(changed.adapter.network.parameters()).view(-1)[0] += 1e-6
    for other in (network(seed=2), network(bins=2), changed):
        assert len(open_states(tmp_path, other)) == 0
    head = network()
    with torch.no_grad():
        head.target.head.linear.weight.zero_()
    assert len(open_states(tmp_path, head)) == 13


def pooling(pool, runs, **head):
    torch.manual_seed(0)
    settings = runs["small", "probe"]
    settings = settings | {"adaptation": settings["adaptation"] | {"head": {"kind": "pooled", "pool": pool, **head}}}
    adapter = new_model("small", {"hidden_size": 16, "num_heads": 2, "num_layers": 2}, seed=1)
    return new_tuned(RunBlocks.of(settings), adapter, {"classes": ["with", "without"]}).eval()


def test_ways_of_pooling_share_the_states_of_a_backbone(tmp_path):
    """Whatever is pooled first, the others find their own columns; parts of a sequence are kept apart."""
    runs = toy_study(tmp_path)[1]
    sequences = [
        np.random.default_rng(length).choice(np.frombuffer(b"ACGT", np.uint8), length) for length in (40, 64, 51)
    ]
    for number, pool in enumerate(("max", "mean", "meanmax", "last")):
        model = pooling(pool, runs)
        store = pickle.loads(pickle.dumps(open_states(tmp_path / "states", model)))
        assert len(store) == (3 if number else 0)
        compute(store, model, sequences, batch=2)
        store.flush()
        assert torch.equal(store(sequences[:2]), directly(model, sequences[:2]))
        assert store(sequences).shape == (3, 32 if pool == "meanmax" else 16)
    assert len(list((tmp_path / "states").iterdir())) == 1
    for kept_apart in (pooling("bins", runs), pooling("mean", runs | {("small", "probe"): other_layer(runs)})):
        assert len(open_states(tmp_path / "states", kept_apart)) == 0


def other_layer(runs):
    settings = runs["small", "probe"]
    return settings | {"adaptation": settings["adaptation"] | {"layer": 1}}


def test_a_job_that_was_killed_leaves_what_it_had_written(tmp_path, monkeypatch):
    monkeypatch.setattr(frozen_states, "PART_BYTES", 4 * BINS * 8 * 4)  # four sequences
    model, (sequences, *_) = network(), genes(1, haplotypes=10)
    store = open_states(tmp_path, model)
    compute(store, model, sequences, batch=4)
    assert len(store) == 10 and len(open_states(tmp_path, model)) == 8  # the last two were not written
    (half,) = set(store.folder.glob("*.keys.npy")) - {min(store.folder.glob("*.keys.npy"))}
    half.unlink()  # killed between the two files of a part
    assert len(open_states(tmp_path, model)) == 4


def test_a_part_that_another_process_is_writing_is_passed_over(tmp_path, monkeypatch):
    """Its name is a hidden one until it is whole, and hidden files are among those that a pattern finds."""
    model, (sequences, *_) = network(), genes(1)
    store, reader, save = open_states(tmp_path, model), open_states(tmp_path, model), np.save

    def half(path, table):
        save(path, table)
        whole = path.read_bytes()
        path.write_bytes(whole[:1])
        reader.refresh()
        path.write_bytes(whole)

    monkeypatch.setattr(np, "save", half)
    compute(store, model, sequences, batch=4)
    store.flush()
    assert len(reader) == 0
    reader.refresh()
    assert len(reader) == len(store) == 5


def test_processes_share_the_work_and_wait_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(frozen_states, "LOOK_AGAIN", 0.01)
    windows, models = genes(4), [network(), network()]
    stores = [open_states(tmp_path, model) for model in models]

    def work(rank):
        fill(stores[rank], models[rank], windows, batch=4, rank=rank, processes=2)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert models[0].read <= 10 and models[1].read <= 10
    for store in stores:
        torch.testing.assert_close(store(windows[3]), directly(models[0], windows[3]))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_take_states_in_place_of_tokens_in_workers_too(tmp_path, workers):
    model, windows = network(), genes(2)
    store = open_states(tmp_path, model)
    fill(store, model, windows, batch=4)
    samples = np.array([[0, 1], [2, 3], [4, 4]])
    items = [
        {"sequences": sequences, "haplotypes": samples, "targets": np.float32([1, 2, 4]), "within": 1.0}
        for sequences in windows
    ]
    batches = partial(collate, tokenize=None, kept=pickle.loads(pickle.dumps(store)))
    read = model.read
    (batch,) = DataLoader(items, batch_size=2, collate_fn=batches, num_workers=workers)
    assert "input_ids" not in batch and model.read == read
    assert torch.equal(batch["features"], store(np.concatenate(windows)))
    model(**batch)["loss"].backward()
    assert all(p.grad is None for p in model.adapter.parameters()) and model.target.head.linear.weight.grad is not None


def test_what_was_never_computed_is_not_made_up(tmp_path):
    with pytest.raises(KeyError):
        StateStore(tmp_path)(genes(1)[0])
