"""The shape of the house, read from its own files (ARCHITECTURE 1 and 10, SECURITY 12)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from config.rules import PARAMETERS

ROOT: Path = settings.BASE_DIR
FLOORS = ["config", "audit", "accounts", "registry", "archives", "transfers", "exchange", "reports"]
ROOTS = {"config/urls.py", "config/celery.py"}  # import all, nobody imports them


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_imports_point_down_only() -> None:
    backwards = [
        f"{path.relative_to(ROOT)} → {module}"
        for floor, folder in enumerate(FLOORS)
        for path in sources(folder)
        if str(path.relative_to(ROOT)) not in ROOTS
        for module in imports(path)
        if module.split(".")[0] in FLOORS[floor + 1 :]
    ]
    assert backwards == []


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from routes(pattern.url_patterns, prefix + space)
        else:
            yield prefix + (pattern.name or str(pattern.pattern)), pattern.callback


def test_every_view_says_who_may_enter() -> None:
    silent = []
    for name, view in routes(get_resolver().url_patterns):
        api_view = getattr(view, "cls", None)
        says = (
            getattr(view, "required_rights", None)
            if api_view is None
            else getattr(api_view, "required_rights", None)
        )
        is_public = getattr(view, "login_required", True) is False
        if says is None and not is_public and "api-root" not in name:
            silent.append(name)
    assert silent == []


@pytest.mark.rule("AP-1", "WB-4")
def test_what_the_build_refuses_is_not_in_the_code() -> None:
    refused = {
        "mark_safe": r"\bmark_safe\b",
        "|safe": r"\|\s*safe\b",
        "format_html": r"\bformat_html\b",
        "filter(**request": r"filter\(\*\*request",
        "__all__ of fields": r"fields\s*=\s*[\"']__all__[\"']",
        "pickle": r"\bpickle\b",
        "eval": r"(?<![\w.])eval\(",
        "yaml.load": r"yaml\.load\(",
        "inline style": r"<[^>]+\sstyle=",
        "inline handler": r"<[^>]+\son(click|change|submit|load|input)=",
        "inline script": r"<script(?![^>]*\bsrc=)",
        "hx-on": r"\bhx-on\b",
        "js: values": r"hx-vals=[\"']js:",
    }
    files = [*sources(*FLOORS), *(ROOT / "templates").rglob("*.html")]
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name, pattern in refused.items()
        if re.search(pattern, path.read_text())
    ]
    assert found == []


def test_every_template_has_a_page() -> None:
    """A file of templates/ is named by a view, by a tag or by another template."""
    texts = "\n".join(path.read_text() for path in [*sources(*FLOORS), *(ROOT / "templates").rglob("*.html")])
    lonely = [
        str(path.relative_to(ROOT / "templates"))
        for path in (ROOT / "templates").rglob("*.html")
        if path.stem not in texts
    ]
    assert lonely == []


def test_every_rule_is_named_by_a_test() -> None:
    texts = "\n".join(
        path.read_text() for path in (ROOT / "tests").rglob("*.py") if path.name != "test_architecture.py"
    )
    assert [key for key in PARAMETERS if key not in texts] == []


def test_the_wider_scope_is_set_in_the_listed_places_only() -> None:
    """Only `transfers/across.py` looks beyond the actor's scope; jobs run under their own; signing in has
    no office.
    """
    allowed = {
        "transfers/across.py",  # exact questions beyond the own scope
        "transfers/demo_changes.py",  # the demonstration's own
        "transfers/demo_problems.py",  # the demonstration's own
        "transfers/management/commands/demo_cases.py",  # the demonstration's own
        "transfers/tasks.py",  # jobs, per province or for the nation
        "transfers/tracking.py",  # the path that the code's own row names
        "transfers/completion.py",  # the path that the outbox row names
        "archives/services.py",  # purge, per province
        "archives/sheet_prints.py",  # the path that the job names
        "registry/exporting/made.py",  # the path that the job names; purge, per province
        "archives/photos.py",  # erasing after a commit, and the purge, per province
        "archives/photo_checking.py",  # the job's own school
        "registry/management/commands/trace_export.py",  # a leak may stem from any office
        "registry/demo/promotion.py",  # the demonstration's own
        "registry/demo/exports.py",  # the demonstration's own
        "registry/exporting/asking.py",  # a person's own exports at all her offices are counted
        "registry/exporting/running.py",  # the path that the job names
        "registry/exporting/collecting.py",  # purge, per province
        "registry/dropout/alarm.py",  # the job's own, per province
        "registry/dropout/hosting.py",  # likewise; and the path that the ledger's own row names
        "registry/dropout/pushing.py",  # the path that the job names; the purge
        "registry/dropout/reporting.py",  # the job's own, per province
        "registry/dropout/watching.py",  # the job's own, per county
        "registry/dropout/households.py",  # the job's county; who of a list is enrolled is asked nationally
        "registry/tasks.py",  # counts before a mass run, per province
        "registry/verification/running.py",  # the office of the unit that the campaign's row names
        "registry/verification/overdue.py",  # the job's own, per province
        "registry/school_year/runs.py",  # the unit's own path; the units of the whole country
        "registry/services/national_check.py",  # everybody is compared with everybody
        "registry/protection.py",  # yes or no: whoever looks in from elsewhere must not learn where (AZ-10)
        "registry/intake/arriving.py",  # purge, per province
        "registry/enrolling/lists.py",  # the authority that the job names
        "registry/enrolling/admissions.py",  # who else has a pupil of the own list; graduates lie elsewhere
        "registry/enrolling/auxiliary.py",  # the last number of a class, whoever took it along
        "registry/entries/sheets.py",  # the job of one sheet, and the purge, per province
        "registry/intake/checking.py",  # the path that the job names; uniqueness is national
        "registry/intake/comparing.py",  # a count in the log belongs to the school
        "registry/intake/committing.py",  # former pupils who continue lie at other schools
        "transfers/submission.py",  # the path that the job names
        "accounts/middleware.py",  # the request's own
        "accounts/management/commands/first_administrator.py",  # the nation's own, before anybody is there
        "accounts/sign_ins.py",  # at the door no office is chosen yet
        "accounts/sealing.py",  # the job's own: events of accounts of the whole country
        "audit/warnings.py",  # a warning lies at the office it is about, whoever's act raised it
        "audit/watching.py",  # the evaluator reads the whole log
        "reports/folding.py",  # counting per unit, folding for the nation
        "reports/files.py",  # the path that the job names; purge, per province
        "exchange/demo.py",  # the demonstration's own
        "exchange/guardians/codes.py",  # the path that the code's own row names
        "exchange/guardians/door.py",  # likewise
        "exchange/api.py",  # the path that the grant's own row names
        "audit/services.py",  # a failed sign-in belongs to no office
        "audit/sealing.py",  # every entry gets a leaf, whatever its office
        "audit/exporting.py",  # the operator's command: the log as a whole, for verify_log.py
        "audit/management/commands/export_log.py",  # that this was done is logged at the nation
        "audit/management/commands/rotate_log_key.py",  # likewise
        "config/scope.py",
        "registry/management/commands/demo.py",  # the owner's command that loads the demonstration
    }
    pattern = re.compile(r"\b(scope|scoped_transaction)\(")
    used = {str(p.relative_to(ROOT)) for p in sources(*FLOORS) if pattern.search(p.read_text())}
    assert used <= allowed


def test_no_address_or_machine_path_is_kept_in_the_project() -> None:
    """Lock files name no host; nothing names a registry host or a path of somebody's machine."""
    locks = ["requirements.txt", "requirements-dev.txt", "package-lock.json"]
    assert [name for name in locks if "://" in (ROOT / name).read_text()] == []
    hosts = re.compile(
        "|".join(("py" + "pi\\.org", "pythonhosted", "npm" + "js\\.", "/" + "work/", "/" + "root/"))
    )
    texts = [*sources(*FLOORS), *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "pyproject.toml"]
    assert [str(p.relative_to(ROOT)) for p in texts if hosts.search(p.read_text())] == []
