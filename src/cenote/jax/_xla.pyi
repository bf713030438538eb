"""The compiled kernels as XLA custom calls."""

api: tuple[int, int]
version: str

def handlers() -> dict[str, object]: ...
