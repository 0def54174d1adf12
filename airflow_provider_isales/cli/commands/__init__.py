"""The commands: a module for each, of which only the one that is invoked is imported."""
