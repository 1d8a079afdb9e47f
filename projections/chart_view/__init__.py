"""What does a client's chart say? One document per client, the same function live and in replay."""
