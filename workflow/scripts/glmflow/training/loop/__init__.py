"""The training loop: killed at any moment, it goes on bit by bit as an undisturbed run."""
