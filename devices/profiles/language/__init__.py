"""The profile language: what a profile file may say, and how it is read and checked."""
