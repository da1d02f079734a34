//! The real program against the simulators, in its own process; what stands on the servers is read from the simulators
//! and never from the program's own report.
//!
//! Owns: the table of contents.
//! Leaves to others: rules and protocols one by one, which are tested beside their code.
//! A newcomer gets wrong: every test has a folder, a sandbox and ports of its own, so nothing here knows an order.

#![cfg(feature = "sandbox")]

mod suite {
    // What the tests are written in.
    #[cfg(feature = "bucket")]
    mod bad_line; // requests to a store that are refused, cut and lost
    mod ended; // how the program ended
    mod harness; // a sandbox, a file, a folder
    #[cfg(feature = "bucket")]
    mod inside; // the library in place of the program
    mod kept_pictures; // what the product does not keep comes back by `keep_replaced`
    mod large_population; // thousands of them, with the state of their last run
    mod peak; // how much memory the program took
    mod pipe; // the pipeline file
    #[cfg(feature = "bucket")]
    mod play; // the story of one seed
    mod population; // people with faces, and their accounts
    mod products; // every product of a world in that file
    mod redact; // what differs from run to run
    #[cfg(feature = "bucket")]
    mod stores; // object stores, as the file names them
    mod truth; // what must stand on the servers

    // What is promised.
    mod added; // a change touches few files
    mod alone; // standard error without the answer beside it
    mod audit; // who began each run, and every change
    #[cfg(feature = "bucket")]
    mod avatar_bucket; // a folder in a bucket: conditions, whose objects they are, kills at each write (P1, P4, P5)
    mod begun; // `init`
    #[cfg(feature = "bucket")]
    mod bucket_versions; // a state of another version in a bucket
    #[cfg(feature = "bucket")]
    mod buckets; // a state in a bucket: the next runner, the lease, kills at each write to the store (P4)
    mod canaries; // every kind of credential, every command, every failure: in no output (P7)
    mod ci; // what CI platforms, shells and packagers read
    mod claims; // nobody gains a face by a key of their own (P1)
    mod contact_sheet; // before and after of everybody, on a page that no name breaks out of
    mod crash; // killed at every request of every write (P1, P4)
    mod documents; // every cite, link and path in them leads somewhere
    mod drills; // something large breaks: nothing is reverted, and it is told (P2, P3, P8)
    mod exit_codes; // docs/command-line.md
    mod explain; // one person, without a request
    mod first_run; // the right face everywhere, the second run quiet (P1, P5)
    mod floors; // the fewest requests, worked out from the pages (P5)
    mod folders; // a folder as source and as target
    mod foreign_hosts; // no credential for any other host (P7)
    mod frozen; // whoever and whatever is frozen keeps what is shown
    mod groups; // who is in scope, left alone or opted out by a group
    mod growth; // what a person costs: requests, bytes of the state, memory (P9)
    mod guide; // the pages of docs/guide: their pipelines, their commands
    mod hostile; // bombs, and nobody who listens
    mod house; // the arrows between rooms, and no circle of files
    mod judged_once; // everybody once, and again only who has other facts by then
    mod leftovers; // files: private, emptied, and told where they cannot be written (P1, P7)
    mod limits; // each broken once, passed by exactly its number (P3)
    mod lost_state; // adopting by looks
    #[cfg(feature = "bucket")]
    mod makers; // stores of several makers: twenty runners, a bad line, a holder that stands still (P4)
    mod memory; // does not grow with the number of people (P9)
    mod misplaced; // a name that passes to somebody else amid a write (P1)
    mod mutants; // programs that are wrong on purpose
    mod notified; // the heartbeat and the message about a run
    mod opened; // the contact sheet in a real browser
    mod outlet; // names that are no names, secrets under other names (P7)
    mod packages; // what is shipped takes files that are there
    #[cfg(feature = "bucket")]
    mod policies; // those of the guide, at a store that keeps to them
    mod printed; // whole outputs
    mod probing; // `auth --probe`: tried on our own account, and put back
    #[cfg(feature = "bucket")]
    mod put_reports; // the report of a run, put into a bucket besides
    mod readme; // the transcript is true
    mod refusals; // every listed failure answer and its class (P2, P8)
    mod report_files; // test results and metrics, each as strictly as its format has it
    mod reports; // whatever a run told is told again (P7)
    mod requests; // sent equals forecast equals counted
    mod rules; // who keeps what, and why (P1, P2)
    mod secrets; // the loudest runs (P7)
    #[cfg(feature = "bucket")]
    mod seeds; // seeded faults at every request, every write judged at once (P1, P2)
    mod selection; // --only, --target, --plan
    mod several; // sources and targets side by side, and none for another's fault
    mod signed_out; // a login that ends, an outage that looks like it
    mod signing_in; // `auth`: who we are, what we may
    mod slugs; // names pass to somebody else, and lead nowhere else (P1)
    mod state_damage; // a state that is no state, a disk that is full
    mod status; // what monitoring asks, what the last run left, any run again
    mod stopping; // by a signal, in every phase and pause; the next run goes on
    mod systems; // every file of pipelines/
    mod tables; // typed by hand: in doubt, a fault with its line (P1, P2)
    mod timeline; // what took how long, for public viewers
    mod traces; // standard error: whose each line is, in the form and as much as was asked for
    mod undo; // what stood before a run stands again
    mod undone_people; // and to nobody else (P1)
    mod unseen; // a Bitbucket that does not tell what accounts show (P5)
    mod upkeep; // `state`: copied, checked, and rid of who is forgotten
    mod uploads; // what people upload to Bitbucket right after us (P1)
    mod widths; // answers fit their screen
    mod wiki; // Confluence: names that pass on, files named like ours, removals that are refused
}
