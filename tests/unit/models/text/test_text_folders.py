"""Folders of text models as they are published: several files of weights, a chat template; and what is wrong with broken ones."""

import json
import shutil

import pytest
import torch
from glmflow.errors import InputError
from glmflow.models.heads.answer_heads import tune
from glmflow.models.text.conversation import EMPTY_THOUGHT, question_text, rendered
from glmflow.models.text.text_loading import SPECIAL, load_text_model, load_tokenizer, new_tokenizer

QUESTION = "Which disease does the variant near ADORA cause?"
TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}{%- endif %}"
)
"""What Qwen3's template says of turns of plain text."""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return the folder of a Qwen3 with the proportions of the published 1.7B one, in bfloat16 and three files."""
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    folder = tmp_path_factory.mktemp("qwen3")
    tokenizer = new_tokenizer([QUESTION, "Answer: amber fever"] * 3, 330)
    shape = {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 4, "head_dim": 16}
    config = Qwen3Config(
        vocab_size=384,  # more rows than the tokenizer has ids, as published
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        rope_theta=1_000_000.0,
        max_position_embeddings=40960,
        **shape,
    )
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="150KB")
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer.tokenizer, chat_template=TEMPLATE)
    whole.add_special_tokens({"additional_special_tokens": list(SPECIAL[1:3])})
    whole.save_pretrained(folder)
    assert len(list(folder.glob("model-*.safetensors"))) >= 2
    return folder


@pytest.fixture
def folder(published, tmp_path):
    """Return a copy of it that may be broken."""
    return shutil.copytree(published, tmp_path / "qwen3")


def test_several_files_of_weights_are_read_as_they_are(published):
    found = load_text_model(published)
    assert {one.dtype for one in found.parameters()} == {torch.bfloat16}
    assert load_text_model(published, torch.float32).dtype == torch.float32
    assert found.get_output_embeddings().weight is found.get_input_embeddings().weight


@pytest.mark.parametrize("thinks", [True, False])
def test_conversations_are_those_of_the_folder_s_template(published, thinks):
    from transformers import AutoTokenizer

    own, reader = AutoTokenizer.from_pretrained(published, local_files_only=True), load_tokenizer(published)
    messages = [{"role": "user", "content": QUESTION}]
    given = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": thinks}
    text = rendered(messages, add_generation_prompt=True, enable_thinking=thinks)
    assert text == own.apply_chat_template(messages, **given)
    assert text.endswith(EMPTY_THOUGHT) == (not thinks)
    assert own(text, add_special_tokens=False)["input_ids"] == reader.encode(text)
    assert question_text(QUESTION, alleles=0) == rendered(messages, add_generation_prompt=True)


def test_adapters_stand_at_every_linear_layer_and_a_bfloat16_base_stays(published):
    model = load_text_model(published)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tune(model, "lora", 4, 8, 0.0)
    trained = {name for name, one in model.named_parameters() if one.requires_grad}
    assert trained and all("lora_" in name for name in trained)
    assert {one.dtype for name, one in model.named_parameters() if name in trained} == {torch.float32}
    ends = {name.split(".lora_")[0].rpartition(".")[2] for name in trained}
    assert ends == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    adapted = {name.split(".lora_")[0] for name in trained}
    assert len(adapted) == 4 * 7
    ids = torch.tensor([load_tokenizer(published).encode(QUESTION)])
    model(ids, labels=ids).loss.backward()
    assert all(one.grad is not None for name, one in model.named_parameters() if name in trained and "lora_B" in name)
    for name, value in model.state_dict().items():
        if "lora_" not in name:
            own = before[name.replace(".base_layer", "")]
            assert value.dtype == torch.bfloat16 and torch.equal(value, own)


def without_a_file(folder):
    sorted(folder.glob("model-*.safetensors"))[1].unlink()


def cut_off(folder):
    path = sorted(folder.glob("model-*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:200])


def another_kind(folder):
    told(folder, model_type="esm")


def more_layers(folder):
    told(folder, num_hidden_layers=6, layer_types=["full_attention"] * 6)


def another_width(folder):
    told(folder, intermediate_size=200)


def told(folder, **settings):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **settings}))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (without_a_file, "no causal text model|weights of the text model"),
        (cut_off, "no causal text model"),
        (another_kind, "no causal text model"),
        (more_layers, "22 weights of the text model are not in its files"),
        (another_width, "no causal text model"),
    ],
)
def test_a_broken_folder_is_one_line(folder, broken, words):
    broken(folder)
    with pytest.raises(InputError, match=words) as caught:
        load_text_model(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_a_tokenizer_that_is_not_there_or_cut_off_is_one_line(folder):
    text = (folder / "tokenizer.json").read_text()
    (folder / "tokenizer.json").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        load_tokenizer(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        load_tokenizer(folder)
