"""The door for proxies that ask an ICAP service (RFC 3507) before they let an upload or an answer pass."""
