"""The outside parties: one package each, with a protocol, real adapters and a simulator."""
