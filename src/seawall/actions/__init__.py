"""What Seawall tells the platform: signed webhooks from a durable outbox."""
