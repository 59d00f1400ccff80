"""What the enabled lists know: the index and lookups in it, and the ledger of what was judged."""
