"""Bounds: what no level may pass, whatever it decides for itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

Value = int | bool | str | tuple[str, ...]
Say = Callable[[Value], str]  # a value in Chinese, with its unit or its label


class Bound(Protocol):
    """What a value may be. `clamp` gives the allowed value nearest to one that passed the bound."""

    def allows(self, value: Value) -> bool: ...

    def clamp(self, value: Value) -> Value: ...

    def describe(self, say: Say) -> str:
        """The bound as a Chinese half sentence."""
        ...


@dataclass(frozen=True, slots=True)
class Between:
    """Whole numbers from `low` to `high`, both allowed; `high` None leaves the top open."""

    low: int
    high: int | None

    def allows(self, value: Value) -> bool:
        return isinstance(value, int) and value >= self.low and (self.high is None or value <= self.high)

    def clamp(self, value: Value) -> Value:
        number = max(_number(value), self.low)
        return number if self.high is None else min(number, self.high)

    def describe(self, say: Say) -> str:
        return f"应不少于{say(self.low)}" if self.high is None else f"应为{self.low}至{say(self.high)}"


@dataclass(frozen=True, slots=True)
class Fixed:
    """One value for the whole country."""

    value: Value

    def allows(self, value: Value) -> bool:
        return value == self.value

    def clamp(self, value: Value) -> Value:
        return self.value

    def describe(self, say: Say) -> str:
        return f"全国统一为{say(self.value)}，不得另行规定"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the listed values; the first is what an unlisted one falls back to."""

    values: tuple[Value, ...]

    def allows(self, value: Value) -> bool:
        return value in self.values

    def clamp(self, value: Value) -> Value:
        return value if value in self.values else self.values[0]

    def describe(self, say: Say) -> str:
        return "应为下列之一：" + "、".join(say(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class SubsetOf:
    """Any choice among the listed words, also none of them."""

    words: tuple[str, ...]

    def allows(self, value: Value) -> bool:
        return set(_words(value)) <= set(self.words)

    def clamp(self, value: Value) -> Value:
        return tuple(word for word in _words(value) if word in self.words)

    def describe(self, say: Say) -> str:
        return "只能从下列项目中选择：" + say(self.words)


@dataclass(frozen=True, slots=True)
class AddOnly:
    """The national words, and any more: a level may add to them but not leave one out."""

    words: tuple[str, ...]

    def allows(self, value: Value) -> bool:
        return set(self.words) <= set(_words(value))

    def clamp(self, value: Value) -> Value:
        return self.words + tuple(word for word in _words(value) if word not in self.words)

    def describe(self, say: Say) -> str:
        return "只能增加，不得减少国家规定的项目：" + say(self.words)


@dataclass(frozen=True, slots=True)
class Free:
    """No national bound; only the kind of the value is checked."""

    def allows(self, value: Value) -> bool:
        return True

    def clamp(self, value: Value) -> Value:
        return value

    def describe(self, say: Say) -> str:
        return "国家未设上下限"


def at_most(high: int) -> Between:
    """1 to `high`: a term or size of nothing could be met by nobody."""
    return Between(1, high)


def at_least(low: int) -> Between:
    return Between(low, None)


def between(low: int, high: int) -> Between:
    return Between(low, high)


def fixed(value: Value) -> Fixed:
    return Fixed(value)


def one_of(*values: Value) -> OneOf:
    return OneOf(values)


def subset_of(*words: str) -> SubsetOf:
    return SubsetOf(words)


def add_only(words: Iterable[str]) -> AddOnly:
    return AddOnly(tuple(words))


FREE = Free()


def _number(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise TypeError(f"a number was expected, not {value!r}")


def _words(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    raise TypeError(f"a list of words was expected, not {value!r}")
