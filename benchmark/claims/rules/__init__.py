"""The kinds of rules by which a claim is judged: each is a small function that makes an estimate of some sides."""
