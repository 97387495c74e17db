"""What becomes of a command whose output has nowhere to go, or no letters for what it says."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pieced_billing.store.connections import connect
from tests.books import add_tenant, organisation, set_organisations, set_prices
from tests.commands import PIECED, clean_environment, run_pieced
from tests.databases import Database, DatabaseServers

DRAFT = ("invoice", "draft", "--month", "2026-03", "--all")
COMMANDS = (
    ("ledger", "export"),
    ("org", "show"),
    (*DRAFT, "-o", "table"),
    (*DRAFT, "-o", "json"),
    (*DRAFT, "-o", "yaml"),
    ("price", "show", "-o", "json"),
    ("price", "show", "-o", "yaml"),
    ("--version",),
)
ASCII = {"PYTHONIOENCODING": "ascii"}


@pytest.fixture(scope="module")
def filled(database_servers: DatabaseServers) -> Iterator[Database]:
    """A database with something to print, umlauts among it."""
    with database_servers.migrated("pg18") as database:
        with connect(database.url) as connection:
            connection.autocommit = True
            set_prices(connection)
            set_organisations(connection, organisation("Zürich"))
            add_tenant(connection, "Zürich", "acme", enabled={"search": "2026-03-30T12:00:00+02:00"})
        yield database


def ended(database: Database, arguments: tuple[str, ...], stdout: int) -> tuple[int, str]:
    """Exit status and standard error of a command that writes to this file descriptor."""
    environment = clean_environment() | database.env()
    done = subprocess.run(
        [str(PIECED), *arguments], env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk_is_said_in_one_sentence(filled: Database, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        assert ended(filled, arguments, full.fileno()) == (
            1,
            "pieced: The output cannot be written: No space left on device.\n",
        )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_is_gone_is_no_error_to_speak_of(filled: Database, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert ended(filled, arguments, writer) == (1, "")
    finally:
        os.close(writer)


def test_a_closed_output_takes_nothing_and_hinders_nothing(filled: Database) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{PIECED} org show >&- && {PIECED} ledger export >&-"],
        env=clean_environment() | filled.env(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_table_has_codes_for_the_letters_that_the_encoding_lacks(filled: Database) -> None:
    assert r"Z\xfcrich" in run_pieced("org", "show", env=filled.env() | ASCII).stdout
    assert r"2026-03-30 \u2013 31" in run_pieced(*DRAFT, env=filled.env() | ASCII).stdout
    assert "Zürich" in run_pieced("org", "show", env=filled.env()).stdout


def test_json_and_yaml_are_utf_8_whatever_the_encoding(filled: Database) -> None:
    for command in (DRAFT, ("org", "show")):
        for output, load in (("json", json.loads), ("yaml", yaml.safe_load)):
            plain = run_pieced(*command, "-o", output, env=filled.env()).stdout
            assert run_pieced(*command, "-o", output, env=filled.env() | ASCII).stdout == plain
            assert "Zürich" in plain
            assert load(plain)


@pytest.mark.parametrize("command", [("ledger", "import", "-"), ("price", "apply", "-f", "-")])
def test_an_input_that_is_closed(filled: Database, command: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["sh", "-c", f'{PIECED} "$@" <&-', "sh", *command],
        env=clean_environment() | filled.env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "pieced: Standard input is closed; there is nothing to read.\n"


def test_an_argument_that_is_no_text(filled: Database) -> None:
    environment = {
        os.fsencode(name): os.fsencode(value) for name, value in (clean_environment() | filled.env()).items()
    }
    done = subprocess.run(
        [os.fsencode(PIECED), b"ledger", b"show", b"Z\xfcrich"], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"pieced: 'Z\\udcfcrich' is not text in UTF-8.\n"
