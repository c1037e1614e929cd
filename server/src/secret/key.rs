//! Where the key comes from: the environment, or a file that is made at the first start.

use super::seal::{KEY_BYTES, SealKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use rand::CryptoRng;
use secrecy::{ExposeSecret, SecretString};
use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// The variable that holds the key in base64.
pub const VARIABLE: &str = "DROVER_SECRET_KEY";
/// The file in the data directory that holds it otherwise.
pub const FILE: &str = "secret.key";
/// A key in base64 has 44 characters; whatever is much longer is another file.
const FILE_BYTES_MAX: u64 = 1 << 10;

/// Where a key was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    Environment,
    File(PathBuf),
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "{origin} holds no key: it must be {KEY_BYTES} random bytes in base64, as \
         `openssl rand -base64 {KEY_BYTES}` makes them"
    )]
    NoKey { origin: KeySource },
    #[error("{} can be read by others: run `chmod 600` on it", path.display())]
    Exposed { path: PathBuf },
    #[error("cannot read or make the key file {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Takes the key from the environment where it is set there, otherwise from the data directory,
/// where one is made when there is none.
pub fn load_key(
    variable: Option<&SecretString>,
    data_dir: &Path,
    rng: &mut impl CryptoRng,
) -> Result<SealKey, KeyError> {
    if let Some(text) = variable {
        return decode(text.expose_secret(), KeySource::Environment);
    }
    let path = data_dir.join(FILE);
    let fail = |source| KeyError::File { path: path.clone(), source };
    if !fs::exists(&path).map_err(fail)? {
        create(data_dir, &path, rng).map_err(fail)?;
    }
    read(&path)
}

fn read(path: &Path) -> Result<SealKey, KeyError> {
    let fail = |source| KeyError::File { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned() });
    }
    let origin = KeySource::File(path.to_owned());
    if metadata.len() > FILE_BYTES_MAX {
        return Err(KeyError::NoKey { origin });
    }
    decode(&fs::read_to_string(path).map_err(fail)?, origin)
}

/// The file appears whole or not at all. When another server was quicker, its key stays.
fn create(data_dir: &Path, path: &Path, rng: &mut impl CryptoRng) -> io::Result<()> {
    let mut bytes = [0; KEY_BYTES];
    rng.fill_bytes(&mut bytes);
    // Temporary files can be read by their owner only, from the moment they are made.
    let mut file = NamedTempFile::new_in(data_dir)?;
    writeln!(file, "{}", STANDARD.encode(bytes))?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => fs::File::open(data_dir)?.sync_all(),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

fn decode(text: &str, origin: KeySource) -> Result<SealKey, KeyError> {
    let bytes = STANDARD.decode(text.trim()).ok();
    match bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok()) {
        Some(bytes) => Ok(SealKey::new(&bytes)),
        None => Err(KeyError::NoKey { origin }),
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str(VARIABLE),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};
    use tempfile::TempDir;

    fn load(variable: Option<&str>, dir: &TempDir, seed: u64) -> Result<SealKey, KeyError> {
        let variable = variable.map(SecretString::from);
        load_key(variable.as_ref(), dir.path(), &mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn the_first_start_makes_a_key_and_later_ones_find_it() {
        let dir = TempDir::new().unwrap();
        let first = load(None, &dir, 1).unwrap();
        let later = load(None, &dir, 2).unwrap();
        assert_eq!(first.id(), later.id());
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn the_environment_comes_first_and_makes_no_file() {
        let dir = TempDir::new().unwrap();
        let text = STANDARD.encode([9; KEY_BYTES]);
        let key = load(Some(&format!(" {text}\n")), &dir, 1).unwrap();
        assert_eq!(key.id(), SealKey::new(&[9; KEY_BYTES]).id());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn servers_that_start_at_once_agree_on_one_key() {
        let dir = TempDir::new().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let dir = &dir;
            let starts: Vec<_> =
                (0..8).map(|seed| scope.spawn(move || load(None, dir, seed).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap().id().clone()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        let dir = TempDir::new().unwrap();
        for text in ["", "password", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            let error = load(Some(text), &dir, 1).unwrap_err().to_string();
            assert!(error.starts_with(VARIABLE), "{error}");
        }
        let path = dir.path().join(FILE);
        fs::write(&path, "x".repeat(5_000)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load(None, &dir, 1), Err(KeyError::NoKey { .. })));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let dir = TempDir::new().unwrap();
        load(None, &dir, 1).unwrap();
        let path = dir.path().join(FILE);
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(load(None, &dir, 1), Err(KeyError::Exposed { .. })), "{mode:o}");
        }
    }
}
