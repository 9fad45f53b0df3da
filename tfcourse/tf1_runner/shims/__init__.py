"""Modules that stand in for those that are gone."""
