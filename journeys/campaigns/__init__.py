"""Campaigns: journeys with one broadcast. Their settings, their life, and how each person's turn comes.

``drafting`` makes a journey's graph of the settings; ``acts`` is the life of a campaign. A pulse
(``running``) lets an occurrence begin (``beginning``), freezes its audience lot by lot (``freezing``), hands
people on to the engine at the pace that was asked for (``releasing``), and counts (``counting``). From there
on it is a journey: the same engine, policy, outbox and delivery.
"""
