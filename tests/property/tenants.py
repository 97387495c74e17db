"""Random tenants and catalogues that the schema allows."""

from typing import Any

from hypothesis import strategies as st

from pieced_operator.package import Package, decode_package
from tests.tenants import tenant

ids = st.builds(
    "{}{}{}".format,
    st.sampled_from("az09"),
    st.text("az09-", max_size=61),
    st.sampled_from("az09"),
)
lines = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
quantities = st.from_regex(
    r"[1-9][0-9]{0,3}(\.[0-9]{1,4})?(m|k|M|G|Ki|Mi|Gi)?|[1-9][0-9]{0,2}(\.[0-9]{1,4})?Ti", fullmatch=True
)  # up to the largest that the schema allows, 1Pi
protocols = st.sampled_from(["TCP", "UDP"])
port_numbers = st.integers(1, 65_535)

tenant_specs = st.fixed_dictionaries(
    {"displayName": lines},
    optional={
        "packages": st.lists(ids, max_size=5, unique=True),
        "suspend": st.booleans(),
        "agentId": ids,
        "agentName": lines,
        "storageSize": quantities,
        "workspaceFiles": st.dictionaries(
            st.from_regex(r"[A-Za-z0-9_][-._A-Za-z0-9]{0,20}", fullmatch=True), texts, max_size=3
        ),
        "channelUsers": st.dictionaries(ids, st.lists(lines, max_size=3), max_size=3),
        "openClawImage": st.fixed_dictionaries(
            {}, optional={"repository": st.just("customer/assistant"), "tag": st.just("2026.12")}
        ),
    },
)

# Requests stay below the smallest of the limits.
requests = st.fixed_dictionaries(
    {"cpu": st.sampled_from(["1m", "0.01", "10m"]), "memory": st.sampled_from(["1Mi", "900k"])}
)
limits = st.fixed_dictionaries(
    {"cpu": st.sampled_from(["1", "1500m", "2.5"]), "memory": st.sampled_from(["1Gi", "0.5Gi"])}
)

package_specs = st.fixed_dictionaries(
    {"displayName": lines, "image": st.just("pieced/package:1")},
    optional={
        "command": st.lists(texts, max_size=2),
        "args": st.lists(texts, max_size=2),
        "env": st.lists(
            st.fixed_dictionaries(
                {"name": st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True)}, optional={"value": texts}
            ),
            max_size=3,
            unique_by=lambda variable: variable["name"],
        ),
        "ports": st.lists(
            st.fixed_dictionaries(
                {"name": st.from_regex(r"[a-z]{1,9}(-[0-9]{1,4})?", fullmatch=True), "port": port_numbers},
                optional={"protocol": protocols},
            ),
            max_size=3,
            unique_by=(lambda port: port["name"], lambda port: port["port"]),
        ),
        "resources": st.fixed_dictionaries({}, optional={"requests": requests, "limits": limits}),
        "egress": st.lists(
            st.fixed_dictionaries(
                {"cidr": st.sampled_from(["0.0.0.0/0", "192.0.2.0/24", "2001:db8::/32"]), "port": port_numbers},
                optional={"protocol": protocols},
            ),
            max_size=3,
        ),
    },
)

tenants = tenant_specs.map(lambda spec: tenant(spec=spec))


def _catalogue(specs: dict[str, dict[str, Any]]) -> dict[str, Package]:
    return {id_: decode_package({"metadata": {"name": id_}, "spec": spec}) for id_, spec in specs.items()}


@st.composite
def ordered(draw: st.DrawFn) -> tuple[Any, dict[str, Package]]:
    """A tenant, and a catalogue that has some of its packages and others."""
    wanted = draw(tenants)
    known = draw(st.lists(st.sampled_from(wanted.spec.packages), unique=True)) if wanted.spec.packages else []
    others = draw(st.lists(ids, max_size=2, unique=True))
    specs = {id_: draw(package_specs) for id_ in {*known, *others}}
    return wanted, _catalogue(specs)
