from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """AC-1: 19 MiB, 2 passes, 1 lane."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
