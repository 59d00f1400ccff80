"""The door for programs that hand uploads to ClamAV: they speak clamd's protocol, and need no line of code."""
