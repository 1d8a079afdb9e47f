"""What was stored or promised once, and must be understood for ever.

`events/` holds one body per event type that was ever released, as it is stored, and one line end.
A file is added with its event and never edited: an event that needs another shape gets the next
version, an upcaster from the last one, and a file of its own. `events/SHA256SUMS` is written by
`sha256sum *.json > SHA256SUMS`; a diff of it that does more than add lines breaks the promise.
"""
