"""What a search leaves: trials, tables, studies, importance."""
