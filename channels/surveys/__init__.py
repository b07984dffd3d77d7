"""Surveys: one question by message, and the answer back on the profile."""
