//! The system calls that a step may not make, as a program for the kernel's filter.
//!
//! Everything that administers a machine, that reaches past the namespaces of the sandbox or that
//! takes memory or disk which nothing counts. What is left out of a list stays allowed: steps are
//! ordinary builds, and a program that meets an unknown error breaks in ways that nobody
//! understands. Programs of another architecture (32 bit) are killed.

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule,
};
use std::collections::BTreeMap;

/// The numbers of the second interface of x86-64, which would reach the same calls, start here.
const X32: c_long = 0x4000_0000;

/// Whether the kernel counts a step's memory, whatever it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Counted,
    /// Memory that belongs to no process, such as a memory file, would be seen by nobody.
    NotCounted,
}

/// Not permitted: for administrators, or ways past the sandbox.
const ADMINISTRATION: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_vhangup,
];

/// Not there: programs that know these calls do without them. Keys are shared by all processes of
/// a user, whatever their namespace; the others are where the kernel was broken into most.
const NOT_THERE: &[c_long] = &[
    libc::SYS_add_key,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_memfd_secret,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
];

/// Not there either where memory is counted by process.
const UNCOUNTED_MEMORY: &[c_long] = &[libc::SYS_memfd_create, libc::SYS_msgget, libc::SYS_shmget];

/// It takes a disk in no time. Programs write instead.
const NOT_SUPPORTED: &[c_long] = &[libc::SYS_fallocate];

/// Local sockets, IPv4, IPv6 and the questions about them. Among the others are those that reach
/// past a network namespace, to the host of a virtual machine for one.
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// They write to a terminal as if a person had typed it.
const TYPING: [u64; 2] = [0x5412, 0x541C];

/// The program, as the kernel reads it.
///
/// One filter gives one answer, so there is one for each, and they stand behind each other: what
/// a filter would allow at its end goes on to the next. No call is in two of them.
pub(super) fn program(memory: Memory) -> Result<Vec<u8>, BackendError> {
    let mut not_there = NOT_THERE.to_vec();
    match memory {
        Memory::Counted => (),
        Memory::NotCounted => not_there.extend(UNCOUNTED_MEMORY),
    }
    let mut administration = always(ADMINISTRATION);
    add(&mut administration, libc::SYS_ioctl, TYPING.iter().map(|&it| when(1, &[it])));
    let mut sockets = BTreeMap::new();
    add(&mut sockets, libc::SYS_socket, [unless(0, &FAMILIES)]);
    let filters = [
        (administration, libc::EPERM),
        (always(&not_there), libc::ENOSYS),
        (always(NOT_SUPPORTED), libc::EOPNOTSUPP),
        (sockets, libc::EAFNOSUPPORT),
    ]
    .into_iter()
    .map(|(rules, error)| filter(rules, error))
    .collect::<Result<Vec<BpfProgram>, _>>()?;
    let last = filters.len() - 1;
    let mut bytes = Vec::new();
    for (place, filter) in filters.into_iter().enumerate() {
        let end = filter.len() - usize::from(place < last);
        for step in &filter[..end] {
            bytes.extend(step.code.to_ne_bytes());
            bytes.extend([step.jt, step.jf]);
            bytes.extend(step.k.to_ne_bytes());
        }
    }
    Ok(bytes)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn always(calls: &[c_long]) -> Rules {
    calls.iter().flat_map(|&call| [(call, Vec::new()), (call | X32, Vec::new())]).collect()
}

fn add(
    rules: &mut Rules,
    call: c_long,
    conditions: impl IntoIterator<Item = Result<SeccompRule, BackendError>>,
) {
    // An impossible condition would be an error of the constants above: then the whole call goes.
    let all: Vec<_> = conditions.into_iter().filter_map(Result::ok).collect();
    rules.insert(call, all.clone());
    rules.insert(call | X32, all);
}

fn when(argument: u8, values: &[u64]) -> Result<SeccompRule, BackendError> {
    compare(argument, SeccompCmpOp::Eq, values)
}

fn unless(argument: u8, values: &[libc::c_int]) -> Result<SeccompRule, BackendError> {
    let values: Vec<u64> = values.iter().map(|it| u64::from(it.unsigned_abs())).collect();
    compare(argument, SeccompCmpOp::Ne, &values)
}

fn compare(argument: u8, how: SeccompCmpOp, values: &[u64]) -> Result<SeccompRule, BackendError> {
    let conditions = values
        .iter()
        .map(|&value| SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how.clone(), value));
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}

fn filter(rules: Rules, error: libc::c_int) -> Result<BpfProgram, BackendError> {
    let answer = SeccompAction::Errno(error.unsigned_abs());
    let here = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, answer, here)?.try_into()
}
