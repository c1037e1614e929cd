//! What tests stand on.

pub mod builders;
pub mod db;
