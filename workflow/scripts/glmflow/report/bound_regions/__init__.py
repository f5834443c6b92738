"""The page of tasks on binding: what is known of a key, keys one by one, regions."""
