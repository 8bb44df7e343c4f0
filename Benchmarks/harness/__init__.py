"""Runs this program and what it is compared with in turn, and says how far apart they are."""
