//! Keeps the state in memory and on disk: one JSON file for the accounts, one for the names that
//! repositories had, and one per repository, each replaced by a rename, so that a kill leaves the
//! file before or the file after.

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

/// What became of a wish for another name.
pub(crate) enum Renamed {
    Done(Arc<Repo>),
    Taken,
    Missing,
}

const OLD_NAMES: &str = "old-names.json";

pub(crate) struct Store {
    dir: PathBuf,
    memory: Mutex<Memory>,
}

struct Memory {
    accounts: Arc<Accounts>,
    repos: BTreeMap<RepoKey, Slot>,
    /// Names that repositories had, with the ids of those that had them last.
    old_names: BTreeMap<RepoKey, u64>,
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
        let old_names = read_json(&dir.join(OLD_NAMES))?.unwrap_or_default();
        let mut repos = BTreeMap::new();
        for path in saved_repos(&repos_dir)? {
            if let Some(repo) = read_json::<Repo>(&path)? {
                repos.insert(repo.key(), Slot { current: Arc::new(repo), previous: None });
            }
        }
        let memory = Mutex::new(Memory { accounts, repos, old_names });
        Ok(Self { dir: dir.to_owned(), memory })
    }

    /// Where the bare repository is, or will be.
    pub(crate) fn git_dir(&self, key: &RepoKey) -> PathBuf {
        self.dir.join("repos").join(format!("{}.git", key.as_str()))
    }

    /// Where the hook is that pushes go through.
    pub(crate) fn push_hooks_dir(&self) -> PathBuf {
        self.dir.join("push-hooks")
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

    /// The repository that had a name which is nobody's now.
    pub(crate) fn find_moved(&self, key: &RepoKey) -> Option<Arc<Repo>> {
        let memory = self.lock();
        memory.old_names.get(key).and_then(|id| memory.find_id(*id))
    }

    pub(crate) fn find_id(&self, id: u64) -> Option<Arc<Repo>> {
        self.lock().find_id(id)
    }

    /// All repositories by owner and name.
    pub(crate) fn list(&self) -> Vec<Arc<Repo>> {
        self.lock().repos.values().map(|slot| Arc::clone(&slot.current)).collect()
    }

    pub(crate) fn insert(&self, repo: Repo) -> Result<(), StoreError> {
        let mut memory = self.lock();
        self.save(&repo)?;
        // A name that is taken again no longer leads to who had it before.
        self.change_old_names(&mut memory, |names| {
            names.remove(&repo.key());
        })?;
        memory.repos.insert(repo.key(), Slot { current: Arc::new(repo), previous: None });
        Ok(())
    }

    /// Gives a repository another owner and name, to which the old ones lead from now on.
    pub(crate) fn rename(
        &self,
        key: &RepoKey,
        owner: &str,
        name: &str,
    ) -> Result<Renamed, StoreError> {
        let mut memory = self.lock();
        let Some(slot) = memory.repos.get(key) else { return Ok(Renamed::Missing) };
        let mut repo = Repo::clone(&slot.current);
        (repo.owner, repo.name) = (owner.to_owned(), name.to_owned());
        let new_key = repo.key();
        if new_key != *key {
            if memory.repos.contains_key(&new_key) {
                return Ok(Renamed::Taken);
            }
            let (from, to) = (self.git_dir(key), self.git_dir(&new_key));
            create_dir(&self.repos_dir().join(owner.to_lowercase()))?;
            fs::rename(&from, &to).map_err(io_error("rename", &from))?;
            remove_file(&self.json_file(key))?;
            let id = repo.id;
            self.change_old_names(&mut memory, |names| {
                names.remove(&new_key);
                names.insert(key.clone(), id);
            })?;
        }
        self.save(&repo)?;
        memory.repos.remove(key);
        let repo = Arc::new(repo);
        memory.repos.insert(new_key, Slot { current: Arc::clone(&repo), previous: None });
        Ok(Renamed::Done(repo))
    }

    /// Removes a repository, and the old names that led to it. Whether there was one.
    pub(crate) fn remove(&self, key: &RepoKey) -> Result<Option<Arc<Repo>>, StoreError> {
        let mut memory = self.lock();
        let Some(slot) = memory.repos.remove(key) else { return Ok(None) };
        remove_file(&self.json_file(key))?;
        let git_dir = self.git_dir(key);
        fs::remove_dir_all(&git_dir).map_err(io_error("remove", &git_dir))?;
        let id = slot.current.id;
        self.change_old_names(&mut memory, |names| names.retain(|_, it| *it != id))?;
        Ok(Some(slot.current))
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
        self.change_old_names(&mut memory, BTreeMap::clear)?;
        (memory.accounts, memory.repos) = (Arc::default(), BTreeMap::new());
        Ok(())
    }

    fn save(&self, repo: &Repo) -> Result<(), StoreError> {
        write_json(&self.json_file(&repo.key()), repo)
    }

    fn json_file(&self, key: &RepoKey) -> PathBuf {
        self.dir.join("repos").join(format!("{}.json", key.as_str()))
    }

    fn change_old_names(
        &self,
        memory: &mut Memory,
        change: impl FnOnce(&mut BTreeMap<RepoKey, u64>),
    ) -> Result<(), StoreError> {
        let mut names = memory.old_names.clone();
        change(&mut names);
        if names != memory.old_names {
            write_json(&self.dir.join(OLD_NAMES), &names)?;
            memory.old_names = names;
        }
        Ok(())
    }

    /// A panic of another thread leaves the memory as it was: changes are made on a copy.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn find_id(&self, id: u64) -> Option<Arc<Repo>> {
        let mut repos = self.repos.values().map(|slot| &slot.current);
        repos.find(|repo| repo.id == id).map(Arc::clone)
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

fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("remove", path)(error)),
    }
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
