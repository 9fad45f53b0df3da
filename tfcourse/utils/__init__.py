"""What has nothing of the field in it: files, checks, text, private names."""
