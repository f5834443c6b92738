"""Labelled sequences: their files, what is wrong with them, how they are split, and what simple properties tell."""
