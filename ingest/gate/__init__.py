"""The broker's door: the files that say who may publish, and what its log says of who was refused."""
