"""What a component stands for in a report: sections find components by these words, not by their names."""

RANDOM = "random control"
"""A method that every other one should beat."""

BLURRED = "blurred copy"
"""A method that blurs the map of another one, which its setting ``of`` names."""
