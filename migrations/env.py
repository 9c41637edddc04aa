"""Alembic's entry: runs on the connection it is handed, inside the caller's transaction."""

from alembic import context

from hub.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
    include_object=lambda _object, name, _kind, _reflected, _other: not str(name).startswith("document_fts"),
)
context.run_migrations()
