//! The database: one file per table, rows private, functions speak domain.
