"""The cluster's address and credentials for a client of ours that runs in the test's own process."""

from pathlib import Path

import kopf
import pytest


def login_of(kubeconfig: Path) -> kopf.ConnectionInfo:
    """What a kubeconfig says, read as the operator reads it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings())
    assert info is not None
    return info
