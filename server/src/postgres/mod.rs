//! The private PostgreSQL that the server starts when no `DATABASE_URL` is set.
