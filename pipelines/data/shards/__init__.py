"""Shards: sets larger than memory, as TFDS prepares them, read record by record in any order."""
