//! Limits hold, whoever counts: the kernel in a group, or this server by process.

use super::{both, gone, limited, run, run_with, step};
use drover::view::execution::LogStream;
use drover_server::executor::{Counting, Executor, ExecutorConfig, Isolation, Reason};
use std::time::Duration;
use tempfile::TempDir;

#[tokio::test]
async fn a_step_that_never_ends_is_stopped() {
    let mut config = limited();
    config.limits.time = Duration::from_millis(300);
    let tree = TempDir::new().unwrap();
    let ran = run_with(config, tree.path(), &[step("trap '' TERM INT; sleep 74.5")]).await;
    assert!(matches!(ran.reason(), Reason::TimedOut { .. }));
    gone("74.5").await;
}

#[tokio::test]
async fn a_flood_of_output_is_stopped_at_its_bytes_or_its_lines() {
    let (bytes, lines) = (Reason::OutputLimit { max: 100_000 }, Reason::LineLimit { max: 20_000 });
    for (flood, limit) in [
        ("yes flooding with words", &bytes),
        ("yes flooding with words >&2", &bytes),
        ("cat /dev/zero", &bytes),
        ("yes | head -c 30000000", &lines),
        ("yes '' >&2", &lines),
    ] {
        let (_, ran) = run(&[step(flood)]).await;
        assert_eq!(ran.reason(), limit, "{flood}");
        let bytes: usize = ran.log.iter().map(|event| event.text.len()).sum();
        assert!(bytes < 400_000, "{bytes} bytes of log");
        let lines: usize = ran.log.iter().map(|event| event.text.split('\n').count()).sum();
        assert!(lines < 21_000 && ran.log.len() < 1_000, "{lines} lines, {}", ran.log.len());
    }
}

#[tokio::test]
async fn a_step_that_fills_the_disk_is_stopped() {
    for fill in [
        "cat /dev/zero > big",
        "for i in 1 2 3 4 5 6; do head -c 4M /dev/zero > f$i; done; sleep 75.5",
        "for i in 1 2 3 4 5 6; do head -c 4M /dev/zero > $DROVER_SCRATCH/f$i; done; sleep 75.5",
        "for i in $(seq 1 600); do : > n$i; done; sleep 75.5",
        // Quicker than any measurement: it has ended when it is measured.
        "for i in 1 2 3; do head -c 5M /dev/zero > f$i; done",
        // It takes nothing, but who reads it reads all of it.
        "for i in 1 2 3; do truncate -s 5M sparse$i; done",
        // Without a name.
        "exec 3>a 4>b 5>c; rm a b c; for i in 3 4 5; do head -c 5M /dev/zero >&$i; done; sleep 75.5",
    ] {
        let (_, ran) = run(&[step(fill)]).await;
        assert!(matches!(ran.reason(), Reason::DiskLimit { .. }), "{fill}: {:?}", ran.result);
    }
    for fill in ["truncate -s 1T sparse", "fallocate -l 5M a", "fallocate -l 20G a"] {
        let (tree, ran) = run(&[step(fill)]).await;
        assert!(ran.result.is_err(), "{fill}");
        let made = std::fs::read_dir(tree.path()).unwrap().flatten();
        assert_eq!(made.map(|it| it.metadata().unwrap().len()).sum::<u64>(), 0, "{fill}");
    }
}

#[tokio::test]
async fn folders_in_memory_have_one_size_together() {
    for (folder, part) in [("/tmp", "5"), ("/dev/shm", "2"), ("$HOME", "2")] {
        let fill = format!(
            "head -c {part}M /dev/zero > {folder}/a || exit 8
             head -c 1M /dev/zero > {folder}/b || exit 9"
        );
        let (_, ran) = run(&[step(&fill)]).await;
        assert_eq!(ran.reason(), &Reason::Exit { code: 9 }, "{folder}");
    }
    // Nothing else in the sandbox can be filled.
    let mounts = "while read -r _ _ _ _ at options _; do
            case $options in rw*) echo $at ;; esac
        done < /proc/self/mountinfo";
    let (_, ran) = run(&[step(mounts)]).await;
    let mut writable = ran.stdout();
    writable.retain(|at| !at.starts_with("/proc") && !at.starts_with("/dev/"));
    writable.sort_unstable();
    assert_eq!(writable, ["/home/drover", "/scratch", "/tmp", "/workspace"]);
}

#[tokio::test]
async fn memory_of_every_kind_is_limited() {
    let memfd = libc::SYS_memfd_create;
    for config in both() {
        for eat in [
            "x=$(head -c 150M /dev/zero | tr '\\0' x) && sleep 76.5".to_owned(),
            "perl -e '$x = \"x\" x (150 << 20); sleep 77'".to_owned(),
            // Many that are small each.
            "for i in 1 2 3 4 5; do perl -e '$x = \"x\" x (30 << 20); sleep 77' & done; wait
             exit 1"
                .to_owned(),
            // A file in memory, which belongs to no process.
            format!(
                "exec perl -e '$n = \"x\"; $f = syscall({memfd}, $n, 0); $f >= 0 or die \"refused\";
                 open(F, \">&=\", $f); print F \"x\" x (1 << 20) or die for 1..150; sleep 77'"
            ),
        ] {
            let mut config = config.clone();
            config.limits.disk_bytes = 1 << 30;
            let tree = TempDir::new().unwrap();
            let ran = run_with(config, tree.path(), &[step(&eat)]).await;
            let words = ran.lines(LogStream::Stderr).join(" ");
            let by_kernel = matches!(ran.reason(), Reason::Exit { .. })
                && ["refused", "llocate", "emory"].iter().any(|it| words.contains(it));
            let stopped = matches!(ran.reason(), Reason::MemoryLimit { .. });
            assert!(stopped || by_kernel, "{eat}: {:?} {:?}", ran.result, ran.log);
            gone("76.5").await;
        }
    }
}

#[tokio::test]
async fn folders_in_memory_count_as_memory() {
    for mut config in both() {
        config.limits.tmp_bytes = 1 << 30;
        config.limits.disk_bytes = 1 << 30;
        let tree = TempDir::new().unwrap();
        let fill = "for i in /tmp/a /dev/shm/a $HOME/a; do head -c 60M /dev/zero > $i || exit 9
            done; sleep 76.5";
        let ran = run_with(config, tree.path(), &[step(fill)]).await;
        assert!(matches!(ran.reason(), Reason::MemoryLimit { .. }), "{:?}", ran.result);
    }
}

#[tokio::test]
async fn a_fork_bomb_stays_small_and_ends() {
    for mut config in both() {
        config.limits.memory_bytes = 1 << 30;
        for bomb in [
            "for i in $(seq 200); do sleep 77.5 & done; wait; sleep 77.5",
            ":() { : | : & }; :; sleep 77.5; sleep 77.5",
        ] {
            let tree = TempDir::new().unwrap();
            let ran = run_with(config.clone(), tree.path(), &[step(bomb)]).await;
            // The kernel refuses more of them, unless the server is root without a group.
            let text: String = ran.log.iter().map(|event| event.text.as_str()).collect();
            let refused =
                text.contains("fork") || *ran.reason() == Reason::ProcessLimit { max: 64 };
            assert!(refused, "{:?}", ran.result);
            gone("77.5").await;
        }
    }
}

#[tokio::test]
async fn what_holds_a_step_is_said_in_plain_words() {
    for config in both() {
        let wanted = config.counting;
        let executor = Executor::start(config).await.unwrap();
        let lines = executor.in_force();
        let memory = lines.iter().find(|line| line.starts_with("memory: 100 MiB")).unwrap();
        match wanted {
            Counting::Best => assert!(
                memory.contains("counted by the kernel") || memory.contains("because"),
                "{memory}"
            ),
            Counting::ByProcess => assert!(memory.contains("Delegate=yes"), "{memory}"),
        }
        assert!(lines.iter().any(|line| line.contains("without network")), "{lines:?}");
    }
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_stops_steps() {
    let config = ExecutorConfig { disk_headroom_bytes: u64::MAX, ..limited() };
    let tree = TempDir::new().unwrap();
    let executor = Executor::start(config.clone()).await.unwrap();
    let full = executor.check_room(tree.path()).unwrap_err();
    assert!(
        full.free > 0 && full.to_string().contains("MB of the server's disk are free"),
        "{full}"
    );
    let ran = run_with(config, tree.path(), &[step("sleep 75.5")]).await;
    assert!(matches!(ran.reason(), Reason::ServerDisk { .. }), "{:?}", ran.result);
    assert_eq!(Executor::start(limited()).await.unwrap().check_room(tree.path()), Ok(()));
}

#[tokio::test]
async fn without_isolation_the_limits_still_hold() {
    let mut config = ExecutorConfig { isolation: Isolation::None, ..limited() };
    config.limits.time = Duration::from_millis(500);
    let tree = TempDir::new().unwrap();
    let steps = [step("echo a > a; sleep 78.5 & echo up"), step("cat a; sleep 78.5")];
    let ran = run_with(config, tree.path(), &steps).await;
    assert!(matches!(ran.reason(), Reason::TimedOut { .. }), "{:?}", ran.result);
    assert_eq!(ran.stdout(), ["up", "a"]);
    gone("78.5").await;
}
