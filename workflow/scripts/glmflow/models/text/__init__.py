"""Text models: loading, conversations, DNA between words, and the likelihood of answers. Knows no task."""
