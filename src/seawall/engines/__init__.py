"""What can be swapped: the embedded PostgreSQL, object stores, the job queue."""
