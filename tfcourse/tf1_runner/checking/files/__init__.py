"""Which files a program reads or writes, and which are not there."""
