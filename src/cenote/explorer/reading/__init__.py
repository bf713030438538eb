"""Reading what somebody hands over, a file or bytes: images and .npy arrays, never a pickle, every size known first."""

from __future__ import annotations

from .source import Header, Picture, Source, Unknown, Unreadable

__all__ = ["Header", "Picture", "Source", "Unknown", "Unreadable"]
