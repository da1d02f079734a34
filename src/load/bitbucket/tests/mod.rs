//! Protocol tests against a small Bitbucket written from the reference, with the journal of the Jira tests.

mod fake;
mod surveys;
mod writes;
