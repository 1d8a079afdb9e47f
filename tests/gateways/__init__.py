"""Do all adapters of an outside party, real and simulated, keep one contract?"""
