"""What cases keep sealed."""

from config.sealed import SealedColumn

SEALED = (SealedColumn("transfers_case", "card", "办件上的学生卡", "number"),)
