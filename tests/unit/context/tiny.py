"""Tiny random models of every kind of rotary module, causal and masked."""

import torch
from torch import nn
from torch.nn import functional
from transformers import (
    EsmConfig,
    EsmForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
)

LENGTH = 64
VOCABULARY = 8
SIZES = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}


def llama():
    return LlamaForCausalLM(LlamaConfig(**SIZES, num_attention_heads=2, max_position_embeddings=LENGTH))


def mixtral():
    config = MixtralConfig(
        **SIZES,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_local_experts=2,
        max_position_embeddings=LENGTH,
        rope_parameters={"rope_type": "default", "rope_theta": 5e7},
    )
    return MixtralForCausalLM(config)


def esm():
    return EsmForMaskedLM(
        EsmConfig(
            **SIZES,
            num_attention_heads=2,
            max_position_embeddings=LENGTH + 2,
            position_embedding_type="rotary",
            pad_token_id=1,
            mask_token_id=2,
        )
    )


def modernbert():
    return ModernBertForMaskedLM(
        ModernBertConfig(
            **SIZES,
            num_attention_heads=2,
            max_position_embeddings=LENGTH,
            local_attention=16,
            global_attn_every_n_layers=2,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            cls_token_id=1,
            sep_token_id=2,
        )
    )


class Rotation(nn.Module):
    """A rotary module without `attention_scaling` that turns queries and keys itself (Evo 2 like)."""

    def __init__(self, head_dim, base, divisor):
        super().__init__()
        theta = base ** (-torch.arange(0, head_dim, 2).float() / head_dim) / divisor
        self.register_buffer("inv_freq", theta, persistent=False)
        self._cos_cached = None

    def forward(self, query, key, position_ids):
        if self._cos_cached is None:  # a table made once, which a patch of inv_freq must invalidate
            angle = torch.arange(100_000)[:, None] * self.inv_freq
            self._cos_cached, self._sin_cached = angle.cos().repeat(1, 2), angle.sin().repeat(1, 2)
        cos, sin = self._cos_cached[position_ids][:, None], self._sin_cached[position_ids][:, None]
        return tuple(x * cos + torch.cat(x.chunk(2, -1)[::-1], -1) * sign(x) * sin for x in (query, key))


def sign(x):
    half = x.shape[-1] // 2
    return torch.cat([-torch.ones(half), torch.ones(half)])


class OwnAttention(nn.Module):
    def __init__(self, width, heads, divisor):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.rotary_emb = Rotation(width // heads, 10_000.0, divisor)

    def forward(self, x, position_ids):
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key = self.rotary_emb(query, key, position_ids)
        return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


class OwnModel(nn.Module):
    """A module that is none of transformers', with one rotary module a layer (AIDO.DNA and Evo 2 like)."""

    def __init__(self, divisor=1):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, 32)
        self.layers = nn.ModuleList(OwnAttention(32, 2, divisor) for _ in range(2))
        self.head = nn.Linear(32, VOCABULARY)

    def forward(self, input_ids, attention_mask=None, position_ids=None):
        if position_ids is None:
            position_ids = torch.arange(input_ids.shape[1])[None]
        x = self.embed(input_ids)
        for layer in self.layers:
            x = x + layer(x, position_ids)
        return self.head(x)


def own():
    return OwnModel()


def own_divided():
    return OwnModel(divisor=4)


MODELS = {
    "llama": llama,
    "mixtral": mixtral,
    "esm": esm,
    "modernbert": modernbert,
    "own": own,
    "own_divided": own_divided,
}
BASE = {"mixtral": 5e7, "modernbert": 160_000.0}


def build(name, seed=0):
    torch.manual_seed(seed)
    model = MODELS[name]()
    # Weights wide enough that attention depends on positions: the initialisers' 0.02 hides every change.
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.3)
    return model.eval()


def logits(model, length=LENGTH, **inputs):
    generator = torch.Generator().manual_seed(1)
    input_ids = torch.randint(3, VOCABULARY, (2, length), generator=generator)
    with torch.no_grad():
        output = model(input_ids, attention_mask=torch.ones_like(input_ids), **inputs)
    return output if isinstance(output, torch.Tensor) else output.logits
