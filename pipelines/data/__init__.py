"""From a source to checked, split, batched examples."""
