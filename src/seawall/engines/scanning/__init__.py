"""Scanning stores that are larger than one machine: shards as jobs, on the processes of this machine or on Daft.

Importing anything in here needs the extra `scale`; `seawall.engines.extras` says so where it is missing.
"""
