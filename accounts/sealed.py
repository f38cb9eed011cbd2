"""What accounts keep sealed."""

from config.sealed import SealedColumn

SEALED = (
    SealedColumn("accounts_accountlist", "rows", "待建立的账号名单", "public_id"),
    SealedColumn("mfa_authenticator", "data", "动态口令种子", "user_id", json_key="secret"),
    SealedColumn("mfa_authenticator", "data", "恢复码种子", "user_id", json_key="seed"),
)
