//! How much memory the program takes.
//!
//! Owns: the peak of a child's resident memory, as the kernel counts it. Leaves to others: what is too much.
//! A newcomer gets wrong: `ru_maxrss` counts the parent's memory, too, which the child has until it begins; `VmHWM` is
//! of the program alone and never falls, so the last look before its end is the peak.

use std::process::Child;
use std::time::Duration;

/// Bytes.
pub(super) const MIB: u64 = 1 << 20;

/// The peak of the child's resident memory in bytes, once it has ended. What it prints must fit into the pipes.
pub(super) fn peak_of(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().expect("a child can be asked").is_none() {
        peak = peak.max(resident(child.id()).unwrap_or_default());
        std::thread::park_timeout(Duration::from_millis(1));
    }
    assert!(peak > 0, "the program was never seen");
    peak
}

/// `VmHWM` of a process that still runs, in bytes.
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
