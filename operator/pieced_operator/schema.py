"""Field types that both resources share, each with the bounds and CEL rules by which the API server refuses a value.

The custom resource definitions in `crds/` are generated from the models built of these types, so that what the API
server accepts and what the operator reads cannot differ.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from pieced_billing.errors import Refused
from pieced_operator.quantity import PATTERN, parse

# A CEL rule of the API server: the expression that must hold for `self`, and the message when it does not.
Rule = tuple[str, str]


class SpecModel(BaseModel):
    """A part of a custom resource: immutable, strict about types, and silent about fields of a later version."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class ResourceInvalid(Refused):
    """A resource in the cluster that the schema does not allow, stored before the schema refused it."""

    code = "resource_invalid"

    def __init__(self, resource: str, field: str, problem: str) -> None:
        super().__init__(f"{resource}: {field}: {problem}.")


def spec_invalid(resource: str, error: ValidationError) -> ResourceInvalid:
    """The first field of a spec that the schema does not allow."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ResourceInvalid(resource, ".".join(str(part) for part in ("spec", *first["loc"])), first["msg"])


def cel(*rules: Rule) -> dict[str, Any]:
    """The schema extension that makes the API server check these rules."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in rules]}


def list_map(key: str) -> dict[str, Any]:
    """The schema extension of a list whose items are told apart by one field."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


# Marks a field whose empty default the API server shall write into the resource.
ALWAYS_PRESENT = "always-present"

ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}


def is_dns_label(what: str, text: str = "self") -> Rule:
    """The rule that a text is a DNS label; `what` names the field in the message."""
    return (
        f"{text}.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        f"{what} must be a DNS label: lowercase letters, digits and hyphens, a letter or digit at both ends",
    )


def is_one_line(what: str) -> Rule:
    """The rule that a text is one visible line; `what` names the field in the message."""
    return (
        r"self.matches(r'^\P{Cc}*$') && self.trim() != ''",
        f"{what} must be one line of text without control characters",
    )


def positive_quantity(what: str, description: str) -> Any:
    """A field that holds a Kubernetes quantity above zero; `what` names the field in the message."""
    return Field(
        min_length=1,
        max_length=32,
        description=description,
        json_schema_extra=cel(
            (
                (
                    f"self.matches('{PATTERN}') && quantity(self).isGreaterThan(quantity('0'))"
                    " && !quantity(self).isGreaterThan(quantity('1Pi'))"
                ),
                f"{what} must be a positive quantity of at most 1Pi, such as 5Gi or 500m",
            )
        ),
    )


def _readable(text: str) -> str:
    parse(text)
    return text


# A quantity as text; use it with `positive_quantity`.
QuantityText = Annotated[str, AfterValidator(_readable)]
