"""How we get into a cluster: the pod's service account, or a kubeconfig."""

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import kopf
from kubernetes.config import ConfigException
from yaml import YAMLError

from pieced_billing.errors import UsageError

Login: TypeAlias = Callable[[], kopf.ConnectionInfo]
"""Reads the credentials as they are now; called again when the API server no longer takes them."""


def login(environment: Mapping[str, str] = os.environ) -> kopf.ConnectionInfo:
    """Credentials of the service account inside of a cluster, of KUBECONFIG (or ~/.kube/config) elsewhere.

    The official client reads them, so that every way of logging in that a kubeconfig knows works. Raises UsageError
    when there are none.
    """
    named = environment.get("KUBECONFIG", "")
    missing = [path for path in named.split(os.pathsep) if path and not Path(path).expanduser().is_file()]
    if missing:
        raise UsageError(f"KUBECONFIG names {missing[0]}, which is no file; it must name a kubeconfig.")
    try:
        info = kopf.login_via_client(logger=logging.getLogger(__name__), settings=kopf.OperatorSettings())
    except (kopf.LoginError, ConfigException, YAMLError, OSError, ValueError, TypeError, KeyError) as error:
        if named:
            raise UsageError(f"KUBECONFIG ({named}) is not a kubeconfig that can be used: {_line(error)}.") from None
        raise UsageError("There is no cluster to talk to: set KUBECONFIG to a kubeconfig.") from None
    assert info is not None  # the client is installed
    return info


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
