"""NCMEC's CyberTipline: the whole of its report schema as types, the XML that is built of them, and its API."""
