UPDATE users SET roles = array_append(roles, 'list_manager') WHERE roles @> '{admin}' AND NOT roles @> '{list_manager}';
