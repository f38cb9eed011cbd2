"""Backups and the drill that restores one (RE-5 … RE-7).

`streams` seals what is written, `store` is the folder of backups, `taking` makes base backups and fetches the
write-ahead log, `restoring` starts a server from one, `drill` looks whether what came back is whole.
"""
