"""What Alembic runs to migrate: the connection comes from ``app.reviews.migrations``."""

from alembic import context

from app.reviews.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
# The caller's transaction holds all of it.
context.run_migrations()
