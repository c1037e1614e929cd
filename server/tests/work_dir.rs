//! The folder of a server's working copies: private, and swept when its server is gone.

use drover_server::work_dir::WorkDir;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn what_dead_servers_left_is_swept_and_living_ones_are_left_alone() {
    let data = TempDir::new().unwrap();
    let all = data.path().join("work");
    let living = WorkDir::open(&all, "living").await.unwrap();
    fs::create_dir_all(living.path().join("1/tree")).unwrap();

    // As servers leave it that are killed: with an owner's lock, of an older version, odd things.
    for left in ["dead/1/tree/shut", "0192-older/tree"] {
        fs::create_dir_all(all.join(left)).unwrap();
    }
    fs::write(all.join("dead/owner.lock"), "").unwrap();
    fs::write(all.join("stray"), "").unwrap();
    std::os::unix::fs::symlink("/etc", all.join("link")).unwrap();
    fs::set_permissions(all.join("dead/1/tree/shut"), Permissions::from_mode(0o000)).unwrap();

    let next = WorkDir::open(&all, "next").await.unwrap();
    let mut names: Vec<_> = fs::read_dir(&all)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["door.lock", "living", "next"]);
    assert!(living.path().join("1/tree").is_dir());
    assert!(Path::new("/etc/passwd").is_file());

    drop(living);
    assert!(!all.join("living").exists(), "one that ends in peace leaves nothing");
    drop(next);
}

#[tokio::test]
async fn nobody_else_may_enter() {
    let data = TempDir::new().unwrap();
    let all = data.path().join("work");
    fs::create_dir(&all).unwrap();
    fs::set_permissions(&all, Permissions::from_mode(0o755)).unwrap();
    let work = WorkDir::open(&all, "one").await.unwrap();
    assert_eq!((mode(&all), mode(work.path())), (0o700, 0o700));
}
