"""A double of the CyberTipline's API on this machine: for tests, and to train staff without the authority."""
