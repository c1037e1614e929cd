//! The database: what Drover remembers.
//!
//! One file per table, and a few for questions over several: [`rewire`] (apply), [`outcomes`]
//! (what came of running a spec), [`status`] (the one SQL expression for the derived status),
//! [`janitor`]. Rows are private to
//! their file; functions take a connection and speak domain and view types, so that a caller
//! puts what belongs together into one transaction: `conn.transaction(async |conn| …)`.
//!
//! It decides nothing, except what must be decided under a lock or over thousands of rows at
//! once. It asks no code host anything. Every list has a limit and a stable order, and no
//! query stands in a loop.
//!
//! Times of leases, budgets and expiry come from the database's clock, which all servers share.

pub mod branches;
pub mod budgets;
pub mod campaign_specs;
pub mod campaigns;
pub mod changeset_rows;
pub mod changeset_specs;
pub mod changesets;
pub mod code_hosts;
pub mod credentials;
pub mod deliveries;
pub mod drafts;
pub mod effects;
mod error;
pub mod executions;
pub mod janitor;
pub mod jobs;
pub(crate) mod keyset;
pub mod left_out;
pub mod logs;
pub mod migrations;
pub mod outcomes;
pub mod plans;
pub mod pulls;
pub mod repositories;
pub mod rewire;
mod schema;
pub mod sessions;
mod sql_types;
pub mod status;
pub mod timeline;
pub mod tokens;
pub mod users;
pub mod workspaces;

pub use error::{Constraint, StoreError};

use diesel::IntoSql;
use diesel_async::{
    AsyncPgConnection, RunQueryDsl,
    pooled_connection::{
        AsyncDieselConnectionManager,
        deadpool::{Object, Pool},
    },
};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::time::Duration;

/// The schema, step by step.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// The connections that one server holds, at most.
pub const CONNECTIONS_MAX: usize = 16;
/// How long a caller waits for a free connection before it is told that there is none.
const CONNECTION_WAIT: Duration = Duration::from_secs(10);

pub type Conn = AsyncPgConnection;
pub type PooledConn = Object<Conn>;

/// A pool of connections to the database.
#[derive(Clone)]
pub struct Store {
    pool: Pool<Conn>,
    url: String,
}

impl Store {
    /// Makes a pool; connections are made when they are needed.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let pool = Pool::builder(AsyncDieselConnectionManager::<Conn>::new(url))
            .max_size(CONNECTIONS_MAX)
            .build()
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(Self { pool, url: url.to_owned() })
    }

    /// Takes a connection from the pool.
    pub async fn conn(&self) -> Result<PooledConn, StoreError> {
        tokio::time::timeout(CONNECTION_WAIT, self.pool.get())
            .await
            .map_err(|elapsed| StoreError::Unavailable(elapsed.into()))?
            .map_err(StoreError::from)
    }

    /// Asks the database whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut conn = self.conn().await?;
        diesel::select(true.into_sql::<diesel::sql_types::Bool>())
            .get_result::<bool>(&mut conn)
            .await?;
        Ok(())
    }

    /// The address of the database, for connections outside of the pool. Holds the password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}
