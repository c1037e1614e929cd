//! What tests stand on.

pub(crate) mod builders;
pub(crate) mod db;
