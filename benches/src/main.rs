//! What avatarpipe is measured against (docs/performance.md); `benches/run` is the command.
//!
//! Owns: servers with any number of people, pictures for them, and the least that any client has to do.
//! Leaves to others: running and measuring (`benches/run`), the administrator's script (`benches/script.py`).
//! A newcomer gets wrong: nothing that is measured here is the program's, so that it cannot be fast by sharing a shortcut
//! with it.

mod alone;
mod bare;
mod past;
mod pictures;
mod servers;

use servers::Shown;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse().unwrap_or_else(|_| panic!("{} is no number", arguments[at]));
    match (arguments.first().map(String::as_str), arguments.len()) {
        (Some("servers"), 3) => servers::serve(number(1), number(2), Shown::Defaults),
        (Some("servers-after"), 3) => servers::serve(number(1), number(2), Shown::Pictures),
        (Some("past"), 4) => past::lay(&arguments[1], number(2), number(3)),
        (Some("bare"), 2) => bare::quiet(&arguments[1]),
        (Some("bare-first"), 3) => bare::first(&arguments[1], number(2)),
        (Some("render"), 3) => alone::render_all(number(1), number(2)),
        (Some("journal"), 3) => alone::journal(&arguments[1], number(2)),
        (Some("pictures"), 4) => pictures::lay(&arguments[1], number(2), number(3)),
        _ => panic!(
            "servers PEOPLE SIDE | servers-after PEOPLE SIDE | past STATE PEOPLE SIDE | bare ADDRESSES | \
             bare-first ADDRESSES SIDE | render COUNT SIDE | journal STATE COUNT | pictures FOLDER COUNT SIDE"
        ),
    }
}
