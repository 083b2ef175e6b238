"""Backpropagation: one step, the loop around it, and how to execute it."""
