"""Leaks that only pictures have: the same picture again in another split, and a label that is written into them."""
