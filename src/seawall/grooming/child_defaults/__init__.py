"""What a regulator wants children protected by unless somebody changes it, as data: one file a jurisdiction."""
