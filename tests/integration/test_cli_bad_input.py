"""What a person can get wrong on the command line: one sentence on stderr, the right exit status, nothing half-done."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pieced_cli.main import COMMANDS, run
from tests.commands import PIECED, clean_environment, run_pieced
from tests.databases import Database

SECRET = "s3cr3t-pa55"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)


def one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr, if it is one line and nothing was printed beside it."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pieced: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err.removeprefix("pieced: ").strip()


NO_URLS = (
    "postgres",
    "localhost:5432/db",
    "mysql://u:{}@localhost/db",
    "postgresql:/u:{}@localhost/db",
    "postgresql://u:{}/x@localhost/db",
    "postgresql://u:{}@x@localhost/db",
    "postgresql://u:{}#x@localhost/db",
    "postgresql://u:{}@localhost:port/db",
    "postgresql://u:{}@localhost:99999/db",
    "postgresql://u:{}@localhost:0/db",
    "postgresql://u:{}@localhost/db?nonsense=1",
    "postgresql://u:{}@localhost/db?connect_timeout",
    "postgresql://u:%zz{}@localhost/db",
    "postgresql://u:{} x@localhost/db",
    "host=localhost password={}",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("url", NO_URLS)
@pytest.mark.parametrize("name", ["DATABASE_URL", "PIECED_OWNER_URL"])
def test_a_url_that_is_none_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@127.0.0.1:1/db")
    monkeypatch.setenv(name, url.format(SECRET))
    assert run(["db", "upgrade"]) == 2
    said = one_sentence(capsys)
    assert said.startswith(f"{name} is not a PostgreSQL URL; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    assert SECRET not in said


UNREACHABLE = (
    f"postgresql://u:{SECRET}@127.0.0.1:1/db",
    f"postgresql://u:{SECRET}@no-such-host.invalid/db",
    f"postgresql://u:{SECRET}@/db?host=/no/such/folder",
    f"postgresql://u@127.0.0.1:1/db?password={SECRET}",
    f"postgresql://u:{SECRET}?x@127.0.0.1:1/db",
)


@pytest.mark.parametrize("url", UNREACHABLE)
@pytest.mark.parametrize(
    "command", [["db", "upgrade"], ["ledger", "export"], ["ledger", "show", "x"], ["ledger", "import", os.devnull]]
)
def test_a_database_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str], url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert run(command) == 1
    said = one_sentence(capsys)
    assert said.startswith("The database does not answer: ")
    assert SECRET not in said


@pytest.mark.parametrize("command", [["db", "upgrade"], ["ledger", "export"], ["ledger", "import", os.devnull]])
def test_no_database_named(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    assert run(command) == 2
    assert one_sentence(capsys).startswith("DATABASE_URL is not set; it names the database as postgresql://")


@pytest.mark.parametrize("part", ["password", "user", "database"])
def test_a_wrong_part_of_the_url_is_named_without_secrets(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    scheme, rest = database.url.split("://")
    user, host = rest.split("@")
    wrong = {
        "password": f"{scheme}://pieced_app:{SECRET}@{host}",
        "user": f"{scheme}://nobody:{SECRET}@{host}",
        "database": database.url + "x",
    }
    monkeypatch.setenv("DATABASE_URL", wrong[part])
    assert run(["ledger", "export"]) == 1
    said = one_sentence(capsys)
    assert said.startswith("The database does not answer: ")
    assert SECRET not in said
    assert user.split(":")[1] not in said


@pytest.mark.parametrize("zone", ["Nowhere/City", "", "../../etc/passwd", "/etc/localtime", "Europe", "Eur\tope", "\0"])
def test_what_is_no_time_zone(capsys: pytest.CaptureFixture[str], zone: str) -> None:
    assert run(["db", "upgrade", "--billing-zone", zone]) == 2
    assert one_sentence(capsys).endswith("is no time zone; write an IANA name such as Europe/Zurich.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command 'nonsense'."),
        (["ledgr", "export"], "No such command 'ledgr'."),
        (["ledger", "exprt"], "No such command 'exprt'."),
        (["ledger", "import"], "Missing argument 'FILE'."),
        (["ledger", "import", "a", "b"], "Got unexpected extra argument(s) (b)"),
        (["ledger", "show"], "Missing argument 'TENANT'."),
        (["ledger", "show", "x", "-o", "xml"], "'xml' is not one of 'table', 'json', 'yaml'."),
        (["ledger", "show", "x", "--nonsense"], "No such option: --nonsense"),
        (["db", "upgrade", "--billing-zone"], "Option '--billing-zone' requires an argument."),
        (["--nonsense"], "No such option: --nonsense"),
    ],
)
def test_a_command_line_that_is_none(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    assert run(arguments) == 2
    assert says in one_sentence(capsys)


@pytest.mark.parametrize("arguments", [[], ["ledger"], ["db"]])
def test_nothing_asked_for_shows_what_can_be(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage: pieced")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("/no/such/file", "No such file or directory"),
        ("/tmp", "Is a directory"),
        ("", "cannot be read"),
        ("a\0b", "not a"),
    ],
)
def test_a_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str], name: str, says: str) -> None:
    assert run(["ledger", "import", name]) == 2
    assert says in one_sentence(capsys)


BAD_FILES = {
    "binary": bytes(range(256)) * 100,
    "not json": b"created,u1,acme\n",
    "one document over many lines": b"[\n{}\n]\n",
    "a yaml file": b"orgs:\n  - {org: '1', country: CH}\n",
    "half a line": b'{"kind": "created", "uid": "u1", "tena',
    "utf-16": '{"kind": "created"}'.encode("utf-16"),
    "a creation and a bad line": (
        b'{"kind":"created","uid":"u1","tenant":"acme","org":"1","at":"2026-03-01T00:00:00Z"}\n{"kind":"paused"}\n'
    ),
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_is_none_of_ours(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    content: bytes,
) -> None:
    file = tmp_path / "lines"
    file.write_bytes(content)
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert run(["ledger", "import", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pieced: Nothing was imported; these lines cannot be:\n  line ")
    assert run(["ledger", "export"]) == 0
    assert capsys.readouterr().out == ""


def test_an_unknown_tenant(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert run(["ledger", "show", "nobody"]) == 1
    assert one_sentence(capsys) == "The ledger has no tenant whose name or UID is 'nobody'."


def test_a_reader_that_goes_away_is_no_error(database: Database) -> None:
    lines = b"".join(
        b'{"kind":"created","uid":"u%d","tenant":"t%d","org":"1","at":"2026-03-01T00:00:00Z"}\n' % (number, number)
        for number in range(20_000)
    )
    environment = clean_environment() | database.env()
    subprocess.run(
        [str(PIECED), "ledger", "import", "-"], input=lines, env=environment, check=True, capture_output=True
    )
    with subprocess.Popen(
        [str(PIECED), "ledger", "export"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline().startswith(b'{"kind":"created"')
        export.stdout.close()
        assert export.stderr.read() == b""
    assert export.returncode == 1


def test_an_interrupted_command_is_quiet_and_leaves_nothing(database: Database) -> None:
    environment = clean_environment() | database.env()
    with subprocess.Popen(
        [str(PIECED), "ledger", "import", "-"], env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as command:
        assert command.stdin is not None
        assert command.stderr is not None
        for number in range(50_000):  # more than a pipe holds: when all are written the command reads
            command.stdin.write(
                b'{"kind":"created","uid":"u%d","tenant":"t%d","org":"1","at":"2026-03-01T00:00:00Z"}\n'
                % (number, number)
            )
        command.stdin.flush()
        command.send_signal(2)
        assert command.stderr.read() == b""
        assert command.wait() == 130
    assert run_pieced("ledger", "export", env=database.env()).stdout == ""


def test_help_loads_neither_database_nor_cluster_libraries() -> None:
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", str(PIECED), "--help"], capture_output=True, text=True, check=True
    )
    loaded = {line.rsplit("|", 1)[1].strip() for line in listed.stderr.splitlines() if "|" in line}
    assert not loaded & {"psycopg", "sqlalchemy", "alembic", "kubernetes", "kopf", "pydantic", "rich", "yaml"}
    assert all(f"  {name} " in listed.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: pieced {name}")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip().count(".") == 2


def test_an_import_from_standard_input(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = b'{"kind":"created","uid":"u1","tenant":"acme","org":"1","at":"2026-03-01T00:00:00Z"}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line)))
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert run(["ledger", "import", "-", "-o", "json"]) == 0
    assert '"events": 1' in capsys.readouterr().out
