"""What the list of published checkpoints says of GPUs is what the arithmetic of memory says."""

import pytest
from glmflow.config import read_checkpoints
from glmflow.plan.gpu_column import gpu_column, main
from glmflow.plan.resources import shape_of, shape_of_listed
from running import ROOT

LISTED = ROOT / "config" / "models.yaml"


@pytest.mark.parametrize("name", read_checkpoints(LISTED))
def test_the_list_says_what_need_computes(name):
    entry = read_checkpoints(LISTED)[name]
    if not str(entry["gpu"]).startswith("Hopper"):
        assert entry["gpu"] == gpu_column(entry), "run python -m glmflow.plan.gpu_column"


def test_weights_by_hand():
    """Of one narrow layer, so that activations are next to nothing; a 48 GB GPU has 45,500 MiB for a process.

    8 G parameters at 6 bytes are 45,776 MiB: too much for one. Two hold half of the float32 weights each and the bf16
    copy, 30,518 MiB. In full, gradients add 15,259 MiB to each of two (45,776 again) and 7,629 to each of four (30,518).
    """
    narrow = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
    entry = {"family": "unheard_of", "parameters": 8_000_000_000, "context_bp": 512, "config": narrow}
    assert gpu_column(entry) == "LoRA 2 x 48 GB, full 4 x 48 GB"
    assert gpu_column({**entry, "parameters": 7_000_000_000}).startswith("LoRA 1 x 48 GB, full ")  # 40,054 MiB
    assert gpu_column({**entry, "parameters": 50_000_000}) == "1 x 16 GB"
    assert gpu_column({"family": "unheard_of", "parameters": None}) is None


def test_stated_sizes_make_up_the_stated_parameters():
    for name, entry in read_checkpoints(LISTED).items():
        if "config" in entry:
            counted = shape_of(entry["config"], entry["family"]).parameters
            assert counted == pytest.approx(entry["parameters"], rel=0.05), name


def test_a_context_is_counted_in_tokens():
    listed = {"family": "nucleotide_transformer", "parameters": 492_040_203, "context_bp": 12_282}
    assert shape_of_listed(listed).context == 2047  # 6-mers


def test_only_the_column_is_rewritten(tmp_path):
    text = LISTED.read_text()
    changed = text.replace('gpu: "1 x 16 GB"', 'gpu: "a pocket calculator"')
    assert changed != text
    path = tmp_path / "models.yaml"
    path.write_text(changed)
    main(path)
    assert path.read_text() == text
