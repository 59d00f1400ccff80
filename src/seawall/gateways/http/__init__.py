"""The HTTP API: `/v1`, its description at `/docs`, and what tells whether the service lives."""
