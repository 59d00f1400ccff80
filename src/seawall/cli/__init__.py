"""The commands: one file each. Heavy imports stand inside the functions, so that `seawall --help` is quick."""
