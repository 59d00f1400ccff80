"""What each jurisdiction wants of whoever finds abuse material: data alone, read by `reporting/jurisdictions.py`."""
