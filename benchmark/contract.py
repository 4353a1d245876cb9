"""Contract tests (stub)."""


def check() -> None:
    """Stub."""
