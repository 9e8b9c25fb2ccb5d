"""The folder that stands first in PYTHONPATH while a program is recorded."""
