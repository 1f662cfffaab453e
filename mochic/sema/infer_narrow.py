"""`is_none` as lowering still imports it."""

from mochic.sema.tree import is_none

__all__ = ["is_none"]
