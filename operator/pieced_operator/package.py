"""The package: what a catalogue entry (`PiecedPackage`) runs for every tenant that switches it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationError

from pieced_operator.quantity import PATTERN
from pieced_operator.schema import (
    ATOMIC,
    QuantityText,
    Rule,
    SpecModel,
    cel,
    is_one_line,
    list_map,
    positive_quantity,
    spec_invalid,
)

Argument = Annotated[str, Field(max_length=4096)]
PortNumber = Annotated[int, Field(ge=1, le=65_535)]
Protocol = Annotated[str, Field(json_schema_extra={"enum": ["TCP", "UDP"]})]


def _covers(resource: str) -> Rule:
    return (
        (
            f"[self.requests.{resource}, self.limits.{resource}].exists(q, !q.matches('{PATTERN}'))"
            f" || !quantity(self.requests.{resource}).isGreaterThan(quantity(self.limits.{resource}))"
        ),
        f"resources.requests.{resource} must not exceed resources.limits.{resource}",
    )


class EnvVar(SpecModel):
    """One environment variable of the package's container."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            description="Name of the variable.",
            json_schema_extra=cel(
                (
                    "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')",
                    "env.name must be letters, digits and underscores, and not begin with a digit",
                )
            ),
        ),
    ]
    value: Annotated[str, Field(max_length=32_768, description="Its value, in plain text.")] = ""


class Port(SpecModel):
    """One port on which the package listens; the tenant's other workloads reach it there."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=15,
            description="Name of the port.",
            json_schema_extra=cel(
                (
                    "self.matches('^[a-z0-9]+(-[a-z0-9]+)*$') && self.matches('[a-z]')",
                    "ports.name must be lowercase letters, digits and single hyphens, with at least one letter",
                )
            ),
        ),
    ]
    port: Annotated[PortNumber, Field(description="Number of the port.")]
    protocol: Annotated[Protocol, Field(description="TCP or UDP.")] = "TCP"


class Egress(SpecModel):
    """One destination outside the tenant that the package may reach."""

    cidr: Annotated[
        str,
        Field(
            min_length=1,
            max_length=43,
            description="Addresses, as a CIDR.",
            json_schema_extra=cel(
                (
                    "isCIDR(self) && cidr(self) == cidr(self).masked()",
                    "egress.cidr must be a CIDR without host bits, such as 192.0.2.0/24 or 2001:db8::/32",
                )
            ),
        ),
    ]
    port: Annotated[PortNumber, Field(description="Port at the destination.")]
    protocol: Annotated[Protocol, Field(description="TCP or UDP.")] = "TCP"


class Requests(SpecModel):
    """What a container is promised."""

    cpu: Annotated[QuantityText, positive_quantity("resources.requests.cpu", "Processor time.")] = "50m"
    memory: Annotated[QuantityText, positive_quantity("resources.requests.memory", "Memory.")] = "64Mi"


class Limits(SpecModel):
    """What a container may use at most."""

    cpu: Annotated[QuantityText, positive_quantity("resources.limits.cpu", "Processor time.")] = "500m"
    memory: Annotated[QuantityText, positive_quantity("resources.limits.memory", "Memory.")] = "256Mi"


class Resources(SpecModel):
    """What one container needs; the tenant's quota is their sum."""

    requests: Annotated[Requests, Field(description="What the container is promised.")] = Requests()
    limits: Annotated[Limits, Field(description="What the container may use at most.")] = Limits()


class PackageSpec(SpecModel):
    """What a package runs: one container of one image."""

    display_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Human-readable name of the package.",
            json_schema_extra=cel(is_one_line("displayName")),
        ),
    ]
    image: Annotated[
        str,
        Field(
            min_length=1,
            max_length=512,
            description="Container image with its tag or digest.",
            json_schema_extra=cel((r"self.matches(r'^[^\s\p{Cc}]+$')", "image must not contain white space")),
        ),
    ]
    command: Annotated[
        tuple[Argument, ...],
        Field(
            strict=False, max_length=64, description="Entry point, instead of the image's.", json_schema_extra=ATOMIC
        ),
    ] = ()
    args: Annotated[
        tuple[Argument, ...],
        Field(strict=False, max_length=64, description="Arguments, instead of the image's.", json_schema_extra=ATOMIC),
    ] = ()
    env: Annotated[
        tuple[EnvVar, ...],
        Field(
            strict=False, max_length=64, description="Environment of the container.", json_schema_extra=list_map("name")
        ),
    ] = ()
    ports: Annotated[
        tuple[Port, ...],
        Field(
            strict=False,
            max_length=16,
            description="Ports on which the package listens.",
            json_schema_extra=list_map("name")
            | cel(
                (
                    "self.all(p, self.exists_one(q, q.port == p.port && q.protocol == p.protocol))",
                    "ports must not name a port and protocol twice",
                )
            ),
        ),
    ] = ()
    resources: Annotated[
        Resources,
        Field(
            description="What the container needs.",
            json_schema_extra=cel(_covers("cpu"), _covers("memory")),
        ),
    ] = Resources()
    egress: Annotated[
        tuple[Egress, ...],
        Field(
            strict=False,
            max_length=64,
            description="Destinations outside the tenant that the package may reach; all others are denied.",
            json_schema_extra=ATOMIC,
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """One PiecedPackage as the API server gave it, decoded."""

    id: str
    spec: PackageSpec


def decode_package(resource: Mapping[str, Any]) -> Package:
    """A PiecedPackage from its JSON; raises ResourceInvalid when its spec does not fit the schema."""
    name = resource["metadata"]["name"]
    try:
        spec = PackageSpec.model_validate(resource.get("spec", {}))
    except ValidationError as error:
        raise spec_invalid(f"PiecedPackage {name}", error) from None
    return Package(id=name, spec=spec)
