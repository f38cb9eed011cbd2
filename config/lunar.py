"""Days of the Chinese calendar (农历) as civil dates, 2020 to 2050: some counties open their transfer window
by it.

Made by the rules of GB/T 33661-2017 (农历的编算和颁行): a month begins on the day of the new moon in China's
time. The tests compare the feast days of every year with the calendar of the `holidays` package.
"""

from datetime import date, timedelta

# By lunar year: its first day (month and day), the months as they follow (大 30 days, 小 29 days), and the
# month that comes twice, 0 for none.
_YEARS = {
    2020: ("0125", "小大大大小大小小大小大小大", 4),
    2021: ("0212", "小大大小大小大小大小大小", 0),
    2022: ("0201", "大小大小大大小大小大小大", 0),
    2023: ("0122", "小大小小大大小大大小大小大", 2),
    2024: ("0210", "小大小小大小大大小大大小", 0),
    2025: ("0129", "大小大小小大小大小大大大小", 6),
    2026: ("0217", "大小大小小大小小大大大小", 0),
    2027: ("0206", "大大小大小小大小小大大小", 0),
    2028: ("0126", "大大大小大小小大小小大大小", 5),
    2029: ("0213", "大大小大小大小大小小大大", 0),
    2030: ("0203", "小大小大大小大小大小大小", 0),
    2031: ("0123", "小大大小大小大大小大小大小", 3),
    2032: ("0211", "大小小大小大大小大大小大", 0),
    2033: ("0131", "小大小小大小大小大大大小大", 11),
    2034: ("0219", "小大小小大小大小大大小大", 0),
    2035: ("0208", "大小大小小大小小大大小大", 0),
    2036: ("0128", "大大小大小小大小小大小大大", 6),
    2037: ("0215", "大大小大小小大小小大小大", 0),
    2038: ("0204", "大大小大小大小大小小大小", 0),
    2039: ("0124", "大大小大大小大小大小大小小", 5),
    2040: ("0212", "大小大大小大小大大小大小", 0),
    2041: ("0201", "小大小大小大大小大大小大", 0),
    2042: ("0122", "小大小小大小大小大大小大大", 2),
    2043: ("0210", "小大小小大小小大大小大大", 0),
    2044: ("0130", "大小大小小大小小大小大大大", 7),
    2045: ("0217", "大小大小小大小小大小大大", 0),
    2046: ("0206", "大小大小大小大小小大小大", 0),
    2047: ("0126", "大小大大小大小大小小大小大", 5),
    2048: ("0214", "小大大小大大小大小小大小", 0),
    2049: ("0202", "大小大小大大小大大小大小", 0),
    2050: ("0123", "小大小大小大小大大小大大小", 3),
}
_LENGTHS = {"大": 30, "小": 29}


def lunar_date(year: int, month: int, day: int) -> date | None:
    """The civil date of a day of the lunar `year`, the one whose first month begins in that civil year.

    A month that comes twice counts the first time. The 30th of a short month is its last day. None outside
    2020 to 2050.
    """
    if year not in _YEARS:
        return None
    first_day, months, leap = _YEARS[year]
    before = month - 1 + (0 < leap < month)  # the month that came twice lies before
    lengths = [_LENGTHS[word] for word in months]
    days = sum(lengths[:before]) + min(day, lengths[before])
    return date(year, int(first_day[:2]), int(first_day[2:])) + timedelta(days=days - 1)
