"""Inference from scores of the same samples: intervals of means, ranks, sets of the best, differences.

May import: toolkit.
Needs no torch.
"""
