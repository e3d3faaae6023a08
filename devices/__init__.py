"""What exists and who belongs to it: places, devices, contacts, bindings, profiles."""
