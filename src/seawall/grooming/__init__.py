"""Notices grooming in what is said: cues by rules, risk per pair of people, a model that learns, evaluation.

Messages go in, signals and risk come out. Nothing here knows a database, a policy or an intervention.
"""
