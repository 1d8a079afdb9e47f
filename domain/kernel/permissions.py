"""What a person may be allowed to do. Code asks for a permission, never for a role."""

from enum import StrEnum


class Permission(StrEnum):
    """Each route and page declares one of these."""

    CLIENT_SEARCH = "client.search"
    CLIENT_READ = "client.read"
    CLIENT_WRITE = "client.write"
    CLIENT_MERGE = "client.merge"
    CHART_READ = "chart.read"
    NOTE_WRITE = "note.write"
    NOTE_SIGN = "note.sign"
    NOTE_AMEND = "note.amend"
    RECORD_REPLAY = "record.replay"
    RECORD_EXPORT = "record.export"
    ACCESS_READ = "access.read"
    RETENTION_HOLD = "retention.hold"
    KEY_SHRED = "key.shred"
    LOG_VERIFY = "log.verify"
