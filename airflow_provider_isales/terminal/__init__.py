"""The command ``isales``: parsing and printing over ``ISalesClient`` and ``ShiftCalendar``, and nothing else."""
