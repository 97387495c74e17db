"""Alembic's script directory: configured by store/upgrade.py, no env.py and no ini file."""
