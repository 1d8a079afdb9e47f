"""What every context shares and none owns: facts, commands, deciders, ids, money, time, permissions."""
