"""Founding, renaming, merging, closing, altering and moving schools and offices: planned, rehearsed, done in
batches (HANDBOOK B3, G-05, G-17).
"""

from registry.reorganizing.freezing import moving, refuse_if_moving

__all__ = ["moving", "refuse_if_moving"]
