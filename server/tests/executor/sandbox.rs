//! What a step cannot see, reach or do.

use super::{gone, limited, run, run_with, step};
use drover_server::executor::{Executor, ExecutorConfig, Folders, Isolation, LogEvent, Reason};
use tempfile::TempDir;

/// A program of one system call, which prints what it answers.
fn call(number: libc::c_long, arguments: &str) -> String {
    // Perl hands over no constant texts.
    format!(
        "perl -e '($a, $b) = (\"user\", \"/tmp\"); $r = syscall({number}, {arguments}); print($r < 0 ? $!+0 : \"done\")'; echo"
    )
}

#[tokio::test]
async fn a_step_sees_neither_the_server_nor_the_network() {
    let outside = TempDir::new().unwrap();
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "s").unwrap();
    let secret = secret.display();
    for (attempt, why) in [
        (format!("cat {secret}"), "a file of the server"),
        (format!("echo x > {secret}"), "a file of the server"),
        ("cat /etc/shadow".to_owned(), "passwords"),
        ("ls /root /home/user /work /var/lib".to_owned(), "other folders"),
        ("touch /usr/x || touch /etc/x || touch /x || touch /dev/x".to_owned(), "the system"),
        ("touch /run/drover/step".to_owned(), "the step itself"),
        ("[ $(id -u) = 0 ]".to_owned(), "root"),
        ("kill -0 $PPID 2>/dev/null && [ $PPID -gt 2 ]".to_owned(), "processes outside"),
        ("grep -qv -e '^ *lo:' -e '|' /proc/net/dev".to_owned(), "a network device"),
        ("(echo > /dev/tcp/127.0.0.1/22) 2>/dev/null".to_owned(), "this machine's ports"),
        ("unshare -U true 2>/dev/null".to_owned(), "namespaces of its own"),
        ("mount -t tmpfs x /workspace".to_owned(), "mounts"),
        ("env | grep -e CARGO -e GIT_ -e DATABASE".to_owned(), "the server's environment"),
    ] {
        let (_, ran) = run(&[step(&attempt)]).await;
        assert!(matches!(ran.reason(), Reason::Exit { .. }), "{why}: {:?}", ran.log);
    }
    assert_eq!(std::fs::read_to_string(outside.path().join("secret")).unwrap(), "s");
}

#[tokio::test]
async fn a_link_out_of_the_tree_leads_nowhere() {
    let outside = TempDir::new().unwrap();
    let target = outside.path().display();
    let write = format!("ln -s {target} out && echo x > out/file");
    let (tree, ran) = run(&[step(&write)]).await;
    assert!(ran.result.is_err());
    assert!(tree.path().join("out").is_symlink());
    assert!(!outside.path().join("file").exists());
}

#[tokio::test]
async fn a_step_has_no_rights_that_it_could_use() {
    let status = "grep -E '^(CapInh|CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status";
    let (_, ran) = run(&[step(status)]).await;
    let none = "0000000000000000";
    let expected = [
        format!("CapInh:\t{none}"),
        format!("CapPrm:\t{none}"),
        format!("CapEff:\t{none}"),
        format!("CapAmb:\t{none}"),
        "NoNewPrivs:\t1".to_owned(),
        "Seccomp:\t2".to_owned(),
    ];
    assert_eq!(ran.stdout(), expected);
}

#[tokio::test]
async fn system_calls_for_administrators_and_past_the_sandbox_are_refused() {
    const X32: libc::c_long = 0x4000_0000;
    let calls = [
        (libc::SYS_unshare, "0x10000000", libc::EPERM),
        (libc::SYS_unshare | X32, "0x10000000", libc::EPERM),
        (libc::SYS_mount, "$a, $b, $a, 0, 0", libc::EPERM),
        (libc::SYS_setns, "0, 0", libc::EPERM),
        (libc::SYS_bpf, "0, 0, 0", libc::EPERM),
        (libc::SYS_perf_event_open, "0, 0, -1, -1, 0", libc::EPERM),
        (libc::SYS_open_by_handle_at, "0, 0, 0", libc::EPERM),
        (libc::SYS_init_module, "0, 0, 0", libc::EPERM),
        (libc::SYS_kexec_load, "0, 0, 0, 0", libc::EPERM),
        (libc::SYS_reboot, "0, 0, 0", libc::EPERM),
        (libc::SYS_syslog, "3, 0, 0", libc::EPERM),
        // Typing into a terminal, and into a console.
        (libc::SYS_ioctl, "0, 0x5412, $a", libc::EPERM),
        (libc::SYS_ioctl, "0, 0x541C, $a", libc::EPERM),
        (libc::SYS_keyctl, "0, -3, 0", libc::ENOSYS),
        (libc::SYS_add_key, "$a, $b, $b, 1, -3", libc::ENOSYS),
        (libc::SYS_request_key, "$a, $b, 0, -3", libc::ENOSYS),
        (libc::SYS_io_uring_setup, "1, 0", libc::ENOSYS),
        (libc::SYS_userfaultfd, "0", libc::ENOSYS),
        (libc::SYS_fallocate, "1, 0, 0, 1", libc::EOPNOTSUPP),
        // The host of a virtual machine, and the kernel's cryptography.
        (libc::SYS_socket, "40, 1, 0", libc::EAFNOSUPPORT),
        (libc::SYS_socket, "38, 5, 0", libc::EAFNOSUPPORT),
    ];
    let programs: Vec<String> = calls.iter().map(|(it, with, _)| call(*it, with)).collect();
    let (_, ran) = run(&[step(&programs.join("\n"))]).await;
    let expected: Vec<String> = calls.iter().map(|(_, _, error)| error.to_string()).collect();
    assert_eq!(ran.stdout(), expected);
    // The same way of asking finds what is allowed.
    let (_, ran) = run(&[step(&call(libc::SYS_socket, "1, 1, 0"))]).await;
    assert_eq!(ran.stdout(), ["done"]);
}

#[tokio::test]
async fn what_the_server_has_open_is_closed_to_steps() {
    let secret = TempDir::new().unwrap();
    let file = std::fs::File::create(secret.path().join("secret")).unwrap();
    // Unlike all that Rust opens, this would be inherited.
    let inherited = rustix::io::dup(&file).unwrap();
    // What the shell lists them with is closed when they are read.
    let list = "for fd in /proc/$$/fd/*; do readlink $fd >/dev/null && echo ${fd##*/}; done; :";
    let (_, ran) = run(&[step(list)]).await;
    let mut open = ran.stdout();
    // The script itself.
    open.retain(|it| *it != "255");
    assert_eq!(open, ["0", "1", "2"]);
    drop(inherited);
}

#[tokio::test]
async fn a_socket_without_a_file_is_out_of_reach() {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    };
    let name = format!("drover-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = UnixListener::bind_addr(&address).unwrap();
    let connect = format!(
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) or exit 8;
            connect(S, pack(\"Sa*\", AF_UNIX, \"\\0{name}\")) and exit 0; print $!+0; exit 9'"
    );
    let (_, ran) = run(&[step(&connect)]).await;
    assert_eq!(ran.stdout(), [libc::ECONNREFUSED.to_string()], "{:?}", ran.result);
}

#[tokio::test]
async fn the_script_and_its_variables_are_on_no_disk_and_in_no_argument() {
    let canary = format!("canary-{}", std::process::id());
    let mut secret = step(
        "grep -E ' /run/drover/(start|step) ' /proc/self/mountinfo | grep -c -- '- tmpfs'
         tr '\\0' '\\n' < /proc/1/environ | cut -d= -f1
         echo up; sleep 79.5",
    );
    secret.env = [("TOKEN".to_owned(), canary.clone())].into();
    let tree = TempDir::new().unwrap();
    let executor = Executor::start(limited()).await.unwrap();
    let (sender, mut events) = tokio::sync::mpsc::channel(8);
    let folders = Folders { tree: tree.path(), scratch: tree.path() };
    let (steps, cancel) = ([secret], tokio_util::sync::CancellationToken::new());
    let watch = async {
        let mut seen = String::new();
        while !seen.contains("up") {
            let event: LogEvent = events.recv().await.unwrap();
            seen = format!("{seen}{}\n", event.text);
        }
        let arguments: Vec<u8> = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|it| std::fs::read(it.path().join("cmdline")).ok())
            .flatten()
            .collect();
        assert!(!String::from_utf8_lossy(&arguments).contains(&canary));
        cancel.cancel();
        seen
    };
    let run = executor.run_steps(folders, &steps, &cancel, &sender);
    let (_, seen) = tokio::join!(run, watch);
    // The shell that opened the files says where it was, in `/`.
    assert_eq!(seen, "2\nPATH\nPWD\nup\n");
    gone("79.5").await;
}

#[tokio::test]
async fn git_has_an_identity_everywhere() {
    let commit = "set -e; cd $WHERE && git init -q r && cd r && git commit --allow-empty -qm x
        git log -1 --format='%an <%ae>'; git branch --show-current; rm -rf $PWD";
    for place in ["/tmp", "/workspace", "$HOME", "$DROVER_SCRATCH"] {
        for isolation in [Isolation::Bubblewrap, Isolation::None] {
            let place =
                if isolation == Isolation::None && place == "/workspace" { "." } else { place };
            let config = ExecutorConfig { isolation, ..limited() };
            let tree = TempDir::new().unwrap();
            let script = commit.replace("$WHERE", place).replace("r &&", "drover-r &&");
            let script = script.replace("cd r", "cd drover-r");
            let ran = run_with(config, tree.path(), &[step(&script)]).await;
            assert_eq!(ran.result, Ok(()), "{place}: {:?}", ran.log);
            assert_eq!(ran.stdout(), ["Drover <drover@localhost>", "main"], "{place}");
        }
    }
}

#[tokio::test]
async fn the_scratch_folder_lasts_as_long_as_the_working_copy() {
    let keep = "umask; echo one > $DROVER_SCRATCH/a; echo gone > /tmp/a; ls -A";
    let steps = [step(keep), step("cat $DROVER_SCRATCH/a; cat /tmp/a 2>/dev/null; ls -A")];
    let (tree, ran) = run(&steps).await;
    assert_eq!((ran.result.clone(), ran.stdout()), (Ok(()), vec!["0022", "one"]));
    assert_eq!(std::fs::read_dir(tree.path()).unwrap().count(), 0, "none of it is in the tree");
}
