"""What the platform decides for all tenants."""

from dataclasses import dataclass, field

from pieced_operator.package import Limits, Requests, Resources


@dataclass(frozen=True, slots=True)
class Settings:
    """The assistant as the platform runs it where a tenant asks for nothing else."""

    assistant_repository: str = "openclaw/openclaw"
    assistant_tag: str = "2026.11.2"
    assistant_resources: Resources = field(
        default=Resources(
            requests=Requests(cpu="100m", memory="512Mi"),
            limits=Limits(cpu="2", memory="2Gi"),
        )
    )
