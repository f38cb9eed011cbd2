"""Builders of statistics."""

from accounts.models import User
from config.clock import today
from config.scope import NATION
from registry.services.seasons import study_year
from reports import files, folding
from reports.models import ReportFile
from reports.tables import read_choice


def make_report_file(actor: User) -> ReportFile:
    """A file of her office's overview that waits for the worker."""
    return files.ask(read_choice(actor, "overview", {}), actor=actor)


def present_year() -> str:
    """The school year that changes of today are counted in."""
    return str(study_year(NATION, today()))


def count_all() -> None:
    """What the nightly job does: encrypted values included, folded."""
    for unit in folding.counted_units(NATION):
        folding.count_unit(unit, with_sealed=True, fully=True)
    folding.fold()
