"""How alike generated and real sequences are: pieces of both beside controls, statistics with their floors, copies of training."""
