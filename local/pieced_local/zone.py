"""The billing zone that a new database has: months and clock times are shown in it."""

from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Zurich")
