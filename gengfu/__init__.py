"""Configuration, composition of the processes, supervisor, migrations and the `gengfu` command."""
