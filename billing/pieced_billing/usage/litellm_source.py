"""LiteLLM as a source of usage: one key for each tenant, known by its alias, in the team of its organisation."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from pieced_billing.usage.coverage import Life, Stretch
from pieced_billing.usage.litellm import LiteLLM
from pieced_billing.usage.llm_spend import SOURCE, Conversion, spend_records
from pieced_billing.usage.settings import LiteLLMSettings
from pieced_billing.usage.source import Reading, Tenant, Warned

NO_KEY: Final = "tenant_without_llm_key"
NO_TEAM: Final = "tenant_without_llm_team"


class LlmSpend:
    """Spend on language models; in USD it is converted by the rates of its days."""

    name = SOURCE

    def __init__(self, litellm: LiteLLM, settings: LiteLLMSettings, conversion: Conversion | None) -> None:
        self._litellm = litellm
        self._settings = settings
        self._conversion = conversion
        self._teams: Mapping[str, str | None] = {}
        self._team_aliases: dict[str, str | None] = {}

    def begin(self) -> None:
        """Read which keys there are."""
        self._teams = self._litellm.teams_by_alias()

    def known_as(self, tenant: Tenant) -> str:
        """The alias of the tenant's key."""
        return _filled(self._settings.key_alias, tenant)

    def warned(self, tenant: Tenant) -> Warned | None:
        """That a tenant has no key, or one that is not in its organisation's team."""
        alias = self.known_as(tenant)
        if alias not in self._teams:
            return Warned(NO_KEY, f"{tenant.tenant} has no key {alias} in LiteLLM.")
        team, wanted = self._teams[alias], _filled(self._settings.team, tenant)
        if team is None:
            return Warned(NO_TEAM, f"The key {alias} of {tenant.tenant} is in no team of LiteLLM.")
        if wanted not in (team, self._team_alias(team)):
            return Warned(NO_TEAM, f"The key {alias} of {tenant.tenant} is in team {team} of LiteLLM, not in {wanted}.")
        return None

    def unclaimed(self, names: Collection[str]) -> list[str]:
        """The aliases of keys that are in a team and no tenant's: what is spent with them is on no bill."""
        return sorted(alias for alias, team in self._teams.items() if team is not None and alias not in names)

    def read(self, name: str, lives: Sequence[Life], stretch: Stretch) -> Reading:
        """The spend of a key; see `spend_records`."""
        return spend_records(self._litellm.spend_logs(name, stretch), lives, stretch.end, self._conversion)

    def _team_alias(self, team: str) -> str | None:
        if team not in self._team_aliases:
            self._team_aliases[team] = self._litellm.team_alias(team)
        return self._team_aliases[team]


def _filled(template: str, tenant: Tenant) -> str:
    return template.format(tenant=tenant.tenant, org=tenant.org, uid=tenant.life.uid, cluster=tenant.cluster)
