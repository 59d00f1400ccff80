"""Getting the bytes of an upload from an address that a platform names, and from nowhere else."""
