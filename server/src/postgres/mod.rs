//! The database server: the one that `DATABASE_URL` names, or a private one of our own.
//!
//! A private PostgreSQL lives in `<data directory>/postgres` and is reached by a socket only:
//! no port, no password, a directory that nobody else can enter. It is made of the installed
//! binaries ([`binaries`]); nothing is downloaded. PostgreSQL refuses to be root, so for root it
//! runs as another user ([`identity`]).
//!
//! One Drover owns the directory, by a lock that the kernel gives back even after `kill -9`. The
//! private server dies with its Drover where `setpriv` is there to ask the kernel for that; a
//! server that was left over is stopped before the next one starts ([`orphan`]), and PostgreSQL
//! recovers what was committed. One that ends under a running Drover is started again
//! ([`keeper`]).

mod binaries;
mod cluster;
mod error;
mod identity;
mod keeper;
mod orphan;
mod process;
mod socket;

pub use error::PostgresError;
pub use identity::User;
pub use keeper::Restarts;

use binaries::Binaries;
use process::Process;
use socket::SocketDir;
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio_postgres::{Config, NoTls};

/// The role and the database of a private server.
const NAME: &str = "drover";
/// A private server that does not answer after so long has failed to start. Recovery after a
/// crash is part of it.
const START_MAX: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// A database that somebody else runs answers within this time, or counts as not there.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Where the database is, and what to do with it at the end.
pub enum Database {
    /// Somebody else runs it.
    External {
        url: String,
    },
    Private(Postgres),
}

impl Database {
    /// Opens the database that `url` names, otherwise a private one under `data_dir`.
    pub async fn open(
        url: Option<&str>,
        data_dir: &Path,
        bin_dir: Option<&Path>,
    ) -> Result<Self, PostgresError> {
        match url {
            Some(url) => {
                check_reachable(url).await?;
                Ok(Self::External { url: url.to_owned() })
            }
            None => Postgres::start(data_dir, bin_dir).await.map(Self::Private),
        }
    }

    /// The address of the database; it may hold a password.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::External { url } => url,
            Self::Private(postgres) => postgres.url(),
        }
    }

    /// Starts a private server again whenever it ends; returns when that does not help.
    pub async fn keep(&mut self, restarts: &Restarts) -> PostgresError {
        match self {
            // Who runs it keeps it; our connections wait for it to come back.
            Self::External { .. } => std::future::pending().await,
            Self::Private(postgres) => postgres.keep(restarts).await,
        }
    }

    /// Stops a private server and waits for its end.
    pub async fn stop(self) {
        match self {
            Self::External { .. } => {}
            Self::Private(postgres) => postgres.stop().await,
        }
    }
}

/// What a private server is started from, the first time and any other.
struct Place {
    cluster: PathBuf,
    log: PathBuf,
    binaries: Binaries,
    user: User,
}

impl Place {
    fn spawn(&self, socket: &SocketDir) -> Result<Process, PostgresError> {
        let Self { cluster, log, binaries, user } = self;
        Process::spawn(cluster, socket.path(), log, binaries, user)
    }
}

/// A running private server. Dropped, it is stopped.
pub struct Postgres {
    url: String,
    process: Process,
    place: Place,
    // Dropped after the process: the socket and the lock are needed until its end.
    socket: SocketDir,
    _lock: File,
}

impl Postgres {
    /// Starts the server in `<data_dir>/postgres`; makes the cluster when there is none.
    /// `bin_dir` is searched for the binaries before the usual places.
    pub async fn start(data_dir: &Path, bin_dir: Option<&Path>) -> Result<Self, PostgresError> {
        let user = User::for_postgres()?;
        let home = user.make_private_dir(&data_dir.join("postgres"))?;
        let lock = lock(&home)?;
        let cluster = home.join("data");
        orphan::stop(&cluster).await?;
        let binaries = binaries::find(bin_dir, cluster::version(&cluster)?)?;
        cluster::make(&cluster, &binaries, &user)?;
        let socket = SocketDir::make(&home, &user)?;
        let place = Place { cluster, log: home.join("log"), binaries, user };
        let process = place.spawn(&socket)?;
        // From here on an error drops, and so stops, the process.
        let postgres = Self { url: url(socket.path(), NAME), process, place, socket, _lock: lock };
        postgres.wait_until_ready().await?;
        Ok(postgres)
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server and waits for its end.
    pub async fn stop(self) {
        // Waiting for the end of a process blocks.
        if let Err(error) = tokio::task::spawn_blocking(move || drop(self)).await {
            tracing::error!(%error, "stopping the private PostgreSQL failed");
        }
    }

    async fn wait_until_ready(&self) -> Result<(), PostgresError> {
        let admin = url(self.socket.path(), "postgres");
        let deadline = Instant::now() + START_MAX;
        loop {
            match make_database(&admin).await {
                Ok(()) => return Ok(()),
                Err(error) if self.process.has_ended() || Instant::now() > deadline => {
                    return Err(PostgresError::Start {
                        log: process::log_tail(&self.place.log),
                        source: error,
                    });
                }
                Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
    }
}

/// Makes our database unless it is there.
async fn make_database(admin: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(admin, NoTls).await?;
    // It ends when the client is dropped.
    let connection = tokio::spawn(connection);
    let exists = client.query("SELECT FROM pg_database WHERE datname = $1", &[&NAME]).await?;
    if exists.is_empty() {
        client.batch_execute(&format!("CREATE DATABASE {NAME}")).await?;
    }
    drop(client);
    connection.await.unwrap_or(Ok(()))
}

/// Takes the directory for this process.
fn lock(home: &Path) -> Result<File, PostgresError> {
    let path = home.join("lock");
    let file = File::create(&path).map_err(PostgresError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PostgresError::InUse { dir: home.to_owned() }),
        Err(TryLockError::Error(error)) => Err(PostgresError::io("lock", &path)(error)),
    }
}

/// The address of a database behind a socket.
fn url(socket: &Path, database: &str) -> String {
    let host = percent_encoding::utf8_percent_encode(
        &socket.to_string_lossy(),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    format!("postgres://{NAME}@{host}/{database}")
}

/// Fails, naming the address but no password, when nobody answers.
async fn check_reachable(url: &str) -> Result<(), PostgresError> {
    let config: Config = url.parse().map_err(PostgresError::BadUrl)?;
    let address = address(&config);
    match tokio::time::timeout(CONNECT_MAX, config.connect(NoTls)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) => Err(PostgresError::Unreachable { address, source: source.into() }),
        Err(elapsed) => Err(PostgresError::Unreachable { address, source: elapsed.into() }),
    }
}

/// Where a database is, for people: everything but the password.
fn address(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or("-");
    let database = config.get_dbname().unwrap_or("-");
    format!("{}:{port}, database {database}, user {user}", hosts.join(","))
}

/// Resolves a path so that other processes can be told of it.
fn absolute(path: &Path) -> Result<PathBuf, PostgresError> {
    fs::canonicalize(path).map_err(PostgresError::io("resolve", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_everything_but_the_password() {
        let config: Config = "postgres://me:secret@db.example:6543/drover".parse().unwrap();
        assert_eq!(address(&config), "db.example:6543, database drover, user me");
    }

    #[test]
    fn a_socket_stands_encoded_in_an_address() {
        let url = url(Path::new("/a b/c"), "drover");
        let config: Config = url.parse().unwrap();
        assert_eq!(address(&config), "/a b/c:5432, database drover, user drover");
    }
}
