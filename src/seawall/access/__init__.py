"""Who may do what: API keys, people, their sessions and one-time links, rate limits."""
