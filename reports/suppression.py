"""Small cells of sensitive numbers are hidden, and with them as many more as keep anybody from working them
out (SECURITY EX-4).

What a reader above the school sees of a sensitive measure is the tree of offices from her own downwards, and
nothing else. Each number then stands in one sum with its neighbours, and it is enough to protect each sum. By
grade, by sex … only the total is told: where one school alone has the senior grades, their rows would be its
number, and that number the neighbour's who is hidden with it.
"""

from collections.abc import Collection, Mapping


def is_small(value: int, of: int, least: int) -> bool:
    """Whether a number of so many out of `of` pupils tells too much: few have it, all but few, or there are
    few pupils at all.
    """
    return 0 < of < least or 0 < value < least or value > 0 and of - value < least


def hidden_among(values: Mapping[str, int], of: Mapping[str, int], least: int) -> set[str]:
    """Which parts of one shown total must not be shown; `of` are the pupils behind each part.

    The small ones, and the smallest others until each hidden one could be any of several numbers; where that
    cannot be reached, all of them. A zero among enough pupils is shown: nobody has it.
    """
    hidden = {key for key, value in values.items() if is_small(value, of.get(key, 0), least)}
    rest = sorted((value, key) for key, value in values.items() if value and key not in hidden)
    while hidden and not _is_safe(values, of, hidden, least):
        if not rest:
            return set(values)
        hidden.add(rest.pop(0)[1])
    return hidden


def _is_safe(values: Mapping[str, int], of: Mapping[str, int], hidden: Collection[str], least: int) -> bool:
    """Whether a reader who knows the total, what is shown, how many pupils there are and how hiding works
    cannot place any hidden part more narrowly than within half the least cell, or within its pupils.
    """
    total = sum(values[key] for key in hidden)
    low = {key: 1 if of.get(key, 0) >= least else 0 for key in hidden}
    high = {key: of.get(key, 0) for key in hidden}
    all_low, all_high = sum(low.values()), sum(high.values())
    return all(
        min(high[key], total - (all_low - low[key])) - max(low[key], total - (all_high - high[key]))
        >= min(least // 2, high[key])
        for key in hidden
    )
