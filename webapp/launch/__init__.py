"""What stands between a command and a running Tsuzuki: its folder, its Redis, its tables, its processes.

`start` prepares and then becomes `keeper`, the one process that keeps the others alive.
"""
