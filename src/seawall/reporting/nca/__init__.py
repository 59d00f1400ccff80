"""Reports to the NCA (United Kingdom), which a person enters in its portal: the form, the pack, the reference."""
