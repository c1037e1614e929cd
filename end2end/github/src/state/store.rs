//! Keeps the state in memory and on disk: one JSON file for the accounts and one per repository,
//! each replaced by a rename, so that a kill leaves the file before or the file after.

use super::{Accounts, Repo, RepoKey};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("could not {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} was not written by the stand-in; remove it to begin anew", path.display())]
    Format { path: PathBuf, source: serde_json::Error },
}

/// Which memory a read shall see; the older one is how a stale replica looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Current,
    Stale,
}

pub(crate) struct Store {
    dir: PathBuf,
    memory: Mutex<Memory>,
}

struct Memory {
    accounts: Arc<Accounts>,
    repos: BTreeMap<RepoKey, Slot>,
}

struct Slot {
    current: Arc<Repo>,
    previous: Option<Arc<Repo>>,
}

impl Store {
    /// Reads what an earlier run left in the directory, which is made when it is missing.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let repos_dir = dir.join("repos");
        create_dir(&repos_dir)?;
        let accounts = read_json(&dir.join("accounts.json"))?.unwrap_or_default();
        let accounts = Arc::new(accounts);
        let mut repos = BTreeMap::new();
        for path in saved_repos(&repos_dir)? {
            if let Some(repo) = read_json::<Repo>(&path)? {
                repos.insert(repo.key(), Slot { current: Arc::new(repo), previous: None });
            }
        }
        Ok(Self { dir: dir.to_owned(), memory: Mutex::new(Memory { accounts, repos }) })
    }

    /// Where the bare repository is, or will be.
    pub(crate) fn git_dir(&self, key: &RepoKey) -> PathBuf {
        self.dir.join("repos").join(format!("{}.git", key.as_str()))
    }

    pub(crate) fn repos_dir(&self) -> PathBuf {
        self.dir.join("repos")
    }

    pub(crate) fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.lock().accounts)
    }

    pub(crate) fn update_accounts<T>(
        &self,
        change: impl FnOnce(&mut Accounts) -> T,
    ) -> Result<T, StoreError> {
        let mut memory = self.lock();
        let mut accounts = Accounts::clone(&memory.accounts);
        let result = change(&mut accounts);
        write_json(&self.dir.join("accounts.json"), &accounts)?;
        memory.accounts = Arc::new(accounts);
        Ok(result)
    }

    pub(crate) fn find(&self, key: &RepoKey, freshness: Freshness) -> Option<Arc<Repo>> {
        let memory = self.lock();
        let slot = memory.repos.get(key)?;
        Some(match freshness {
            Freshness::Current => Arc::clone(&slot.current),
            Freshness::Stale => Arc::clone(slot.previous.as_ref().unwrap_or(&slot.current)),
        })
    }

    /// All repositories by owner and name.
    pub(crate) fn list(&self) -> Vec<Arc<Repo>> {
        self.lock().repos.values().map(|slot| Arc::clone(&slot.current)).collect()
    }

    pub(crate) fn insert(&self, repo: Repo) -> Result<(), StoreError> {
        let mut memory = self.lock();
        self.save(&repo)?;
        memory.repos.insert(repo.key(), Slot { current: Arc::new(repo), previous: None });
        Ok(())
    }

    /// Changes a repository: all of it and saved, or nothing. `None` when there is no such one.
    pub(crate) fn update<T, E: From<StoreError>>(
        &self,
        key: &RepoKey,
        change: impl FnOnce(&mut Repo) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let mut memory = self.lock();
        let Some(slot) = memory.repos.get_mut(key) else { return Ok(None) };
        let mut repo = Repo::clone(&slot.current);
        let result = change(&mut repo)?;
        self.save(&repo)?;
        slot.previous = Some(std::mem::replace(&mut slot.current, Arc::new(repo)));
        Ok(Some(result))
    }

    /// Forgets everything, on disk too.
    pub(crate) fn clear(&self) -> Result<(), StoreError> {
        let mut memory = self.lock();
        let repos_dir = self.repos_dir();
        fs::remove_dir_all(&repos_dir).map_err(io_error("remove", &repos_dir))?;
        create_dir(&repos_dir)?;
        write_json(&self.dir.join("accounts.json"), &Accounts::default())?;
        *memory = Memory { accounts: Arc::default(), repos: BTreeMap::new() };
        Ok(())
    }

    fn save(&self, repo: &Repo) -> Result<(), StoreError> {
        let path = self.dir.join("repos").join(format!("{}.json", repo.key().as_str()));
        write_json(&path, repo)
    }

    /// A panic of another thread leaves the memory as it was: changes are made on a copy.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn saved_repos(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = Vec::new();
    for owner in list_dir(dir)? {
        if owner.is_dir() {
            found.extend(
                list_dir(&owner)?
                    .into_iter()
                    .filter(|path| path.extension().is_some_and(|extension| extension == "json")),
            );
        }
    }
    Ok(found)
}

fn list_dir(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(dir).map_err(io_error("list", dir))?;
    entries.map(|entry| Ok(entry.map_err(io_error("list", dir))?.path())).collect()
}

fn create_dir(dir: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(dir).map_err(io_error("create", dir))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let value = serde_json::from_slice(&text)
        .map_err(|source| StoreError::Format { path: path.to_owned(), source })?;
    Ok(Some(value))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let text = serde_json::to_vec(value)
        .map_err(|source| StoreError::Format { path: path.to_owned(), source })?;
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    let new = path.with_extension("json-new");
    fs::write(&new, text).map_err(io_error("write", &new))?;
    fs::rename(&new, path).map_err(io_error("replace", path))
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}
