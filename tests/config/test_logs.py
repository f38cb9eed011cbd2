"""Logs carry no personal data (rule 6 of SECURITY)."""

from config.logs import drop_personal


def test_numbers_and_named_fields_never_reach_a_log_line() -> None:
    event = drop_personal(
        None,
        "",
        {
            "event": "saved 11010519491231002X for G11010519491231002X, call 13800138000",
            "name": "林小明",
            "payload": {"id_number": "11010519491231002X"},
            "office": "CN.44.03.05.",
        },
    )
    assert event == {"event": "saved […] for […], call […]", "office": "CN.44.03.05."}
