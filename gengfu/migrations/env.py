"""Alembic's entry: always on a connection that `gengfu.migrate` opened, inside its transaction."""

from alembic import context

from devices.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
