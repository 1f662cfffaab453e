"""`inner_types` as lowering still imports it."""

from mochic.sema.tree import inner_types

__all__ = ["inner_types"]
