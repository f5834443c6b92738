"""The size of Genos 1.2b, as its `config.json` states it."""

GENOS = {
    "model_type": "mixtral",
    "vocab_size": 128,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
}
