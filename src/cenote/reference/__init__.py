"""Reference: the slow, obvious NumPy executor of any row. It teaches, and it is the first oracle."""

from .execute import backward, forward
from .provider import REFERENCE

__all__ = ["REFERENCE", "backward", "forward"]
