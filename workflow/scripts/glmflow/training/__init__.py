"""One training path for every model, task and adaptation (Hugging Face Trainer + accelerate)."""
