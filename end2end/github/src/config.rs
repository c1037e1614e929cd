use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// How a stand-in is started. The default is what a test wants: any port, and nothing kept.
#[derive(Clone, Debug)]
pub struct Config {
    /// Port 0 takes any that is free.
    pub listen: SocketAddr,
    pub data_dir: DataDir,
    /// Where people's browsers find the pages, when that is not where requests come in.
    pub public_url: Option<String>,
    /// GitHub's OpenAPI description, when every exchange shall be held against it.
    #[cfg(feature = "conformance")]
    pub openapi: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub enum DataDir {
    /// Removed when the stand-in is dropped.
    Temporary,
    /// Kept; starting on it again goes on where it was.
    At(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: DataDir::Temporary,
            public_url: None,
            #[cfg(feature = "conformance")]
            openapi: None,
        }
    }
}
