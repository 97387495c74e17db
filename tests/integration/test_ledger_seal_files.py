"""The file of a seal: what it takes the place of, and the commands that write it and compare with it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pieced_billing.errors import UsageError
from pieced_billing.ledger.seal_file import SealFile
from pieced_billing.ledger.sealing import NotAsPublished, seal_ledger
from pieced_billing.store.connections import connect
from tests.chained import SEAL_KEY, bring, compute_anew, line, private_key_file, seal, tampering, usage
from tests.commands import run_pieced
from tests.databases import Database


def test_without_its_file_a_seal_is_replaced_if_the_ledger_leads_to_what_was_published(
    filled: Database, sealed: SealFile, tmp_path: Path
) -> None:
    published, lost = sealed.seal, tmp_path / "lost.jsonl"
    with connect(filled.url) as connection:
        bring(connection, [usage("u1", "new"), line("created", "i0", "03T09:00:00Z", tenant="before", org="1")])
        done = seal_ledger(connection, SEAL_KEY, lost, published)
    assert (done.before, done.file_lost) == (published, True)
    assert (done.seal.tenants, done.seal.rows) == (published.tenants + 1, published.rows + 2)

    lost.unlink()
    with tampering(filled) as owner:  # as many rows as before, and another content
        owner.execute("UPDATE tenant_billing_lifecycle SET zitadel_org_id = '999999' WHERE tenant_uid = 'u1'")
        owner.execute("UPDATE tenant_lifecycle_events SET zitadel_org_id = '999999' WHERE tenant_uid = 'u1'")
        compute_anew(owner, "u1")
    counts = rf"with {published.rows} rows of 4 tenants; now there are {done.seal.rows} of 5\. Nothing was sealed: "
    with connect(filled.url) as connection, pytest.raises(NotAsPublished, match=rf"^There is no file {lost}.*{counts}"):
        seal_ledger(connection, SEAL_KEY, lost, published)
    assert list(tmp_path.iterdir()) == [sealed.path]


def test_an_older_file_does_not_hide_that_there_are_fewer_rows_than_were_published(
    filled: Database, sealed: SealFile, tmp_path: Path
) -> None:
    published = sealed.seal
    older = rf"^{sealed.path} is an older seal"
    for more in (replace(published, rows=published.rows + 1), replace(published, tenants=5)):
        with connect(filled.url) as connection, pytest.raises(NotAsPublished, match=older):
            seal_ledger(connection, SEAL_KEY, sealed.path, more)
    assert SealFile.open(sealed.path, SEAL_KEY.public_key()) == sealed
    assert list(tmp_path.iterdir()) == [sealed.path]
    with connect(filled.url) as connection:
        done = seal_ledger(connection, SEAL_KEY, sealed.path, published)
    assert (done.before, done.file_lost) == (published, False)


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(filled: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"/absent/ledger\.jsonl cannot be written: No such file or directory\.$"):
        seal(filled, tmp_path / "absent" / "ledger.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        seal(filled, tmp_path / "file" / "ledger.jsonl")
    for no_file in (Path(), tmp_path, Path("/dev/full")):
        with pytest.raises(UsageError, match=f"^{no_file} cannot be written: it is no file"):
            seal(filled, no_file)


def test_the_command_says_what_it_was_compared_with(filled: Database, sealed: SealFile, tmp_path: Path) -> None:
    public = tmp_path / "public.pem"
    public.write_bytes(SEAL_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    command = ("ledger", "verify", "--seal", str(sealed.path), "--seal-key", str(public))
    (length,) = (head.chain.length for head in sealed.heads() if head.uid == "u1")
    fine = run_pieced(*command, env=filled.env())
    against = f"4 tenants, against the seal of {sealed.seal.sealed_at}"
    assert fine.stdout == f"{sealed.seal.rows} rows of {against}: all as they were recorded.\n"
    with tampering(filled) as owner:
        owner.execute("DELETE FROM usage_records WHERE usage_id = 'later'")
        compute_anew(owner, "u1")
    shown = run_pieced(*command, "-o", "json", env=filled.env(), check=False)
    document = json.loads(shown.stdout)
    assert (shown.returncode, document["found"], document["sealed_at"]) == (1, 1, sealed.seal.sealed_at)
    assert document["findings"] == [
        {
            "what": "truncated",
            "table": "usage_records",
            "tenant": "acme",
            "uid": "u1",
            "seq": None,
            "link": length,
            "reason": f"it was there when the ledger was sealed at {sealed.seal.sealed_at}",
        }
    ]


def test_before_the_first_seal_a_verification_goes_by_the_hashes_alone(filled: Database, tmp_path: Path) -> None:
    """A first night is no alarm; a file that is gone later is one."""
    path = tmp_path / "ledger.jsonl"
    private_key_file(tmp_path)
    command = ("ledger", "verify", "--seal", str(path))
    env = filled.env() | {"PIECED_SEAL_KEY": str(tmp_path / "private.pem")}
    first = run_pieced(*command, env=env)
    assert first.stdout.endswith(" rows of 4 tenants: all as they were recorded.\n")
    assert (
        first.stderr == f"pieced: The ledger was never sealed, so there is no {path}: its hashes alone are verified.\n"
    )
    seal(filled, path)
    path.unlink()
    gone = run_pieced(*command, env=env, check=False)
    assert (gone.returncode, gone.stdout) == (2, "")
    assert gone.stderr == f"pieced: {path} cannot be read: No such file or directory.\n"


def test_a_seal_is_compared_by_its_key_alone(tmp_path: Path) -> None:
    refused = run_pieced("ledger", "verify", "--seal", str(tmp_path / "x"), check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "pieced: --seal needs --seal-key or PIECED_SEAL_KEY: a seal is believed only by its key.\n"


def test_a_cluster_that_is_not_there_leaves_the_file_as_it_was(filled: Database, tmp_path: Path) -> None:
    """What is published could not be read, so nothing was compared with it."""
    private = private_key_file(tmp_path)
    command = ("ledger", "seal", "--file", str(tmp_path / "ledger.jsonl"))
    env = filled.env() | {"KUBECONFIG": str(tmp_path / "absent"), "PIECED_SEAL_KEY": str(private)}
    refused = run_pieced(*command, env=env, check=False)
    assert refused.returncode == 2
    assert (
        refused.stderr
        == f"pieced: KUBECONFIG names {tmp_path / 'absent'}, which is no file; it must name a kubeconfig.\n"
    )
    assert list(tmp_path.iterdir()) == [private]
