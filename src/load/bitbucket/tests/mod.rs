//! Protocol tests against a small Bitbucket written from docs/wire/atlassian.md, with the journal of the Jira tests.

mod fake;
mod surveys;
mod writes;
