"""Does the recorder keep every promise that the library tests its own recorders for?"""

import pytest
from eventsourcing.tests import persistence as library

from record.recorder import PracticeAggregateRecorder, PracticeRecorder
from tests.support.record import Record


class _Bound:
    """Binds each recorder to a new practice."""

    record: Record

    @pytest.fixture(autouse=True)
    def _bind(self, record: Record) -> None:
        self.record = record

    def create_recorder(self) -> PracticeRecorder:
        return self.record.recorder(self.record.new_practice())


class TestAggregateRecorder(_Bound, library.AggregateRecorderTestCase):
    def create_recorder(self) -> PracticeAggregateRecorder:  # type: ignore[override]  # no positions
        practice_id = self.record.new_practice()
        return PracticeAggregateRecorder(
            self.record.database, self.record.gate, practice_id, "record"
        )


class TestApplicationRecorder(_Bound, library.ApplicationRecorderTestCase[PracticeRecorder]):
    def test_insert_subscribe(self) -> None:
        """The library leaves subscriptions to recorders that have them; this one has."""
        self.optional_test_insert_subscribe()


class TestAccessLogRecorder(TestApplicationRecorder):
    """The second log of a practice is the same machinery."""

    def create_recorder(self) -> PracticeRecorder:
        return self.record.recorder(self.record.new_practice(), "access")


class TestPositionsOfOneAppendStandTogether(_Bound, library.NonInterleavingNotificationIDsBaseCase):
    pass


class TestSubscriptionWithoutHints(TestApplicationRecorder):
    """Hints may be lost, and then the slow poll finds the news."""

    def create_recorder(self) -> PracticeRecorder:
        practice_id = self.record.new_practice()
        return PracticeRecorder(self.record.database, self.record.gate, practice_id)
