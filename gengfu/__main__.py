"""`python -m gengfu` is the `gengfu` command; the supervisor starts its processes this way."""

from gengfu.cli import main

main()
