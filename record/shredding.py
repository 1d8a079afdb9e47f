"""How are a client's keys destroyed? All of one category, in use and retired, in one transaction.

Only the migrating role may: the application cannot destroy a key. What was written to the log stays
there and verifies; nobody can read it any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from domain.kernel.events import Category
from record.hints import Hints

Owner = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Gone:
    """Whose keys of which category were destroyed, and how many drafts went with them."""

    category: Category
    keys: dict[UUID, list[UUID]]
    """By subject; none where there was no text."""
    drafts: dict[UUID, int]


def readable(
    owner: Owner, practice_id: UUID, subjects: Sequence[UUID], category: Category
) -> dict[UUID, int]:
    """How many of a subject's texts of a category can still be read, drafts included."""
    counts = dict.fromkeys(subjects, 0)
    for subject, count in owner.execute(
        """SELECT k.subject, count(*) FROM record.data_key AS k JOIN (
            SELECT practice_id, key_id FROM record.event
            WHERE practice_id = %(practice)s AND log = 'record' AND subject = ANY (%(subjects)s)
            UNION ALL SELECT practice_id, key_id FROM record.draft
            WHERE practice_id = %(practice)s AND subject = ANY (%(subjects)s)
        ) AS text USING (practice_id, key_id)
        WHERE k.category = %(category)s AND k.wrapped IS NOT NULL GROUP BY 1""",
        {"practice": practice_id, "subjects": list(subjects), "category": category.value},
    ):
        counts[subject] = count
    return counts


def destroy(
    owner: Owner, practice_id: UUID, subjects: Sequence[UUID], category: Category, since: datetime
) -> Gone:
    """Destroys the keys and deletes the drafts under them, in the caller's transaction.

    Counts among them what was destroyed after `since` already, by a run that was cut short. When
    the transaction commits, every process that is connected forgets the keys it has in memory.
    """
    of_category = (practice_id, list(subjects), category.value)
    owner.execute(
        """UPDATE record.data_key SET wrapped = NULL, generation = NULL, destroyed_at = now()
        WHERE practice_id = %s AND subject = ANY (%s) AND category = %s AND wrapped IS NOT NULL""",
        of_category,
    )
    keys: dict[UUID, list[UUID]] = {subject: [] for subject in subjects}
    for subject, key_id in owner.execute(
        """SELECT subject, key_id FROM record.data_key
        WHERE practice_id = %s AND subject = ANY (%s) AND category = %s AND destroyed_at >= %s
        ORDER BY destroyed_at, key_id""",
        (*of_category, since),
    ):
        keys[subject].append(key_id)
    drafts = dict.fromkeys(subjects, 0)
    if category == Category.CLINICAL:
        for (subject,) in owner.execute(
            """DELETE FROM record.draft WHERE practice_id = %s AND subject = ANY (%s)
            RETURNING subject""",
            (practice_id, list(subjects)),
        ):
            drafts[subject] += 1
    owner.execute(f"NOTIFY {Hints.KEYS_CHANNEL}")
    return Gone(category, keys, drafts)
