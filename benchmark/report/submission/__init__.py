"""A run with a method of someone's own, checked against published results before its rows are added to them."""
