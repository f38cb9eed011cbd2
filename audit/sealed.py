"""Binary columns of the log: hashes, none of them sealed."""

from config.sealed import NotSealed

SEALED = (
    NotSealed("audit_leaf", "hash", "日志条目的 RFC 6962 散列值"),
    NotSealed("audit_checkpoint", "root", "检查点的根散列值"),
    NotSealed("audit_checkpoint", "previous", "上一检查点的散列值"),
)
