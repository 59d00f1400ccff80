"""What happens beside the requests: deliveries, retries, housekeeping."""
