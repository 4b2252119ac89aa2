"""aisle beside its peers: the shop they get, their environments, what is right, and what is reported. The driver is compare.py."""
