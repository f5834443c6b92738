"""What an example is made into, a module an input: items, batches, and the sequences that are predicted."""
