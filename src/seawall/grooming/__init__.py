"""Notices grooming in what is said: cues by rules, risk per pair of people, a model that learns, evaluation.

Messages go in, signals and risk come out. Of contacts, `contact_store` keeps what windows are summed from; nothing
else here knows a database, and nothing a policy or an intervention.
"""
