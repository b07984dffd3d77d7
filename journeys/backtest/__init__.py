"""Plays a journey against the past: the same graph, steps, rules and policy, on a clock of its own.

``replaying`` walks, ``tally`` counts, ``running`` keeps a backtest as work for pulses, ``forecast`` says what
load a journey will bring. None of it can send: it knows no delivery and works in transactions that only read.
"""
