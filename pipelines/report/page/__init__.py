"""One HTML page about one run, for a board, a regulator, a patient's lawyer and an analyst: the answer first.

It needs no network, no script and no other file. `sections/` holds one small function for each section, `parts.py` what
a section is made of, the template how that looks.
"""
