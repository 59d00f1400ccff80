"""Drawings: each scene is a pure function of a seed. Only landscapes, plants, objects and patterns."""
