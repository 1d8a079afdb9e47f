"""What every context shares and none owns: facts, deciders, ids, money, time, permissions."""
