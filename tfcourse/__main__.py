"""`python -m tfcourse`, where the command is on no path."""

from tfcourse.cli import main

main()
