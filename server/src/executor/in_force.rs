//! Says in plain words which limits hold on this machine, and who holds them.

use super::{Containers, ExecutorConfig, Isolation, Limits, Network, cgroup::NoCgroup};

/// One line for each limit.
pub(super) fn lines(config: &ExecutorConfig, not_counted: Option<&NoCgroup>) -> Vec<String> {
    let Limits {
        time,
        output_bytes,
        output_lines,
        disk_bytes,
        disk_entries,
        tmp_bytes,
        memory_bytes,
        processes,
    } = config.limits;
    let mut lines = vec![isolation(config)];
    match not_counted {
        None => lines.extend([
            format!(
                "memory: {} for all processes of a step and its folders in memory, counted by the \
                 kernel (cgroup v2), without swap",
                size(memory_bytes)
            ),
            format!("processes: {processes}, counted by the kernel (cgroup v2)"),
        ]),
        Some(why) => lines.extend([
            format!(
                "memory: {} for each process by the kernel, and for all together measured 20 \
                 times a second, because {why}; start Drover in a group of its own (systemd: \
                 `Delegate=yes`) to have the kernel count",
                size(memory_bytes)
            ),
            processes_without_group(config.isolation, processes),
        ]),
    }
    lines.extend([
        format!(
            "folders in memory: {} for `/tmp`, the home folder and `/dev/shm` together, by the \
             kernel",
            size(tmp_bytes)
        ),
        format!(
            "disk: {} for one file by the kernel; {} and {disk_entries} files for the working \
             copy, measured five times a second and at the end of each step",
            size(disk_bytes),
            size(disk_bytes)
        ),
        format!(
            "disk of the server: no step starts below {} of free space",
            size(config.disk_headroom_bytes)
        ),
        format!(
            "output: {} and {output_lines} lines; time: {} s",
            size(output_bytes),
            time.as_secs()
        ),
    ]);
    lines
}

fn isolation(config: &ExecutorConfig) -> String {
    let isolation = match config.isolation {
        Isolation::Bubblewrap => "in a bubblewrap sandbox with a filter of system calls",
        Isolation::None => "WITHOUT a sandbox: they may do what the server's user may",
    };
    let network = match (config.isolation, config.network) {
        (Isolation::None, _) | (Isolation::Bubblewrap, Network::On) => {
            "with the network of this machine"
        }
        (Isolation::Bubblewrap, Network::Off) => "without network",
    };
    let containers = match config.containers {
        Containers::Refused => "steps that name a container are refused",
        Containers::AsSandbox => "steps that name a container run without it",
    };
    format!("steps run {isolation}, {network}; {containers}")
}

fn processes_without_group(isolation: Isolation, max: u32) -> String {
    let is_root = rustix::process::geteuid().is_root();
    match isolation {
        Isolation::Bubblewrap if !is_root => format!("processes: {max}, counted by the kernel"),
        Isolation::Bubblewrap | Isolation::None => format!(
            "processes: {max}, counted 20 times a second, as the kernel's own limit does not \
             hold for this user without a group"
        ),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        GIB.. if bytes.is_multiple_of(GIB) => format!("{} GiB", bytes / GIB),
        _ => format!("{} MiB", bytes >> 20),
    }
}

const GIB: u64 = 1 << 30;
