"""What the registry's people tables say of one instant, as conditions of SQL.

Rows with a beginning and an end hold from the first up to before the second. `live` asks for what stands as
the rows are written, whatever the clocks say of their beginnings and ends: an alarm must not miss somebody
because this machine's clock was set back, or lags behind that of the machine where they were bound. How long
a substitute stands in is a matter of the clock either way.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, and_, or_

from devices.schema import binding, contact, contact_channel, substitution


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant in µs UTC, and whether it is the present (`live`).

    `without` is the id of a contact who is thought away: what would hold if they were erased. 0: nobody.
    """

    at_us: int
    live: bool = False
    without: int = 0

    def is_bound(self, table: FromClause = binding) -> ColumnElement[bool]:
        """The binding holds."""
        return self._stands(table.c.bound_us, table.c.ended_us)

    def is_way(self, table: FromClause = contact_channel) -> ColumnElement[bool]:
        """The channel can be used; whether its contact is erased is another question."""
        return self._stands(table.c.added_us, table.c.removed_us)

    def is_known(self, table: FromClause = contact) -> ColumnElement[bool]:
        """The contact is not erased."""
        known = self._not_over(table.c.erased_us)
        return and_(known, table.c.id != self.without) if self.without else known

    def is_away(self, table: FromClause = substitution) -> ColumnElement[bool]:
        """The substitution is in force: its contact is away."""
        return and_(
            table.c.from_us <= self.at_us,
            table.c.until_us > self.at_us,
            self._not_over(table.c.cancelled_us),
        )

    def _stands(self, begin_us: ColumnElement[int], end_us: ColumnElement[int | None]) -> ColumnElement[bool]:
        if self.live:
            return end_us.is_(None)
        return and_(begin_us <= self.at_us, self._not_over(end_us))

    def _not_over(self, end_us: ColumnElement[int | None]) -> ColumnElement[bool]:
        return end_us.is_(None) if self.live else or_(end_us.is_(None), end_us > self.at_us)
