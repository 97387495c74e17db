"""Connections, tables, migrations, roles and bulk reading."""
