"""What a record is: fields, pick lists and rules as data files, one folder per dictionary version."""
