"""Emptying a PostgreSQL database that served a test, and seeing whether that is enough to use it again."""

from __future__ import annotations

from typing import Any

import psycopg

OURS = "(SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')"
SCHEMA = f"""
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
    SELECT concat_ws(',', 'namespace', oid, nspname) FROM pg_namespace WHERE oid IN {OURS}
    UNION ALL SELECT concat_ws(',', 'class', oid, relname, relkind, reloptions, relrowsecurity)
        FROM pg_class WHERE relnamespace IN {OURS}
    UNION ALL SELECT concat_ws(',', 'attribute', attrelid, attnum, attname, atttypid, attnotnull, atthasdef)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace IN {OURS}
    UNION ALL SELECT concat_ws(',', 'default', oid, md5(adbin::text)) FROM pg_attrdef
    UNION ALL SELECT concat_ws(',', 'constraint', oid, conname, convalidated) FROM pg_constraint
    UNION ALL SELECT concat_ws(',', 'trigger', oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(',', 'rule', oid, ev_enabled) FROM pg_rewrite
    UNION ALL SELECT concat_ws(',', 'function', oid, md5(prosrc)) FROM pg_proc WHERE pronamespace IN {OURS}
    UNION ALL SELECT concat_ws(',', 'type', oid, typname) FROM pg_type WHERE typnamespace IN {OURS}
    UNION ALL SELECT concat_ws(',', 'extension', oid) FROM pg_extension
    UNION ALL SELECT concat_ws(',', 'setting', setrole, setconfig) FROM pg_db_role_setting
) AS lines (line)
"""
"""What differs as soon as anything but rows was made, changed or dropped."""
FILLED = """
SELECT quote_ident(relname), pg_total_relation_size(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
    AND relname <> 'alembic_version'
"""
"""The tables that ever held a row, committed or not, since they were truncated, with their bytes."""
LARGE = 1 << 20
"""From so many bytes on a table is truncated, which makes its files anew: that is slow, but what was deleted
stays in them."""
WITHOUT_TRIGGERS = "SET session_replication_role = replica"
WITH_TRIGGERS = "RESET session_replication_role"
"""Foreign keys are triggers: without them tables may be emptied in any order."""
COUNT_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
"""Also of tables whose rows were rolled back."""


def schema_of(connection: psycopg.Connection[Any]) -> str:
    """The schema in a form to be compared, with the revision where there is one."""
    lines = connection.execute(SCHEMA).fetchall()
    if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() != (None,):
        lines += connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return repr(lines)


def empty(connection: psycopg.Connection[Any]) -> None:
    """Takes all rows out of a database; what has a schema like a template's is then like that template."""
    filled = connection.execute(FILLED).fetchall()
    if large := [table for table, size in filled if size > LARGE]:
        connection.execute(f"TRUNCATE {', '.join(large)} CASCADE")
    if small := [table for table, size in filled if size <= LARGE]:
        deletes = "; ".join(f"DELETE FROM {table}" for table in small)
        connection.execute(f"{WITHOUT_TRIGGERS}; {deletes}; {WITH_TRIGGERS}")
    connection.execute(COUNT_ANEW)
