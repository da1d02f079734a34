//! One target of `avatarpipe::fuzzing` under libFuzzer, chosen by the variable `FUZZ_TARGET`.

#![no_main]

use std::sync::OnceLock;

use avatarpipe::fuzzing::{TARGETS, Target, target};
use libfuzzer_sys::fuzz_target;

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let chosen = CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET is `{name}`; there are {:?}", TARGETS.map(|one| one.name)))
    });
    (chosen.run)(bytes);
});
