"""A sample platform: a small photo board that asks Seawall about every upload.

It is an application of its own, with its own process, data and pages, and knows Seawall only by its public HTTP API
and its webhooks: read it as the example of how a platform is connected. `gate.py` asks, `events.py` obeys.
"""
