"""What provision outside keeps sealed."""

from config.sealed import NotSealed, SealedColumn

SEALED = (
    SealedColumn("exchange_datagrant", "key", "对外提供去标识密钥"),
    SealedColumn("exchange_answerkey", "private", "在籍核验签名私钥", "kid"),
    NotSealed("exchange_answerkey", "public", "公钥本来就是公布的"),
)
