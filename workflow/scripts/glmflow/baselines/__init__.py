"""Models without a language model in them: every result stands beside what they reach."""
