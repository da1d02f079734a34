//! Who claims to be somebody by a key that one can edit oneself gains nobody's face (promise P1;
//! docs/architecture.md, "Matching").
//!
//! Owns: keys that contradict each other, twins in use and out of use, signs that only look like letters.
//! Leaves to others: what each rule does about a person (`rules`); every case of a pair (beside `plan::matching`).
//! A newcomer gets wrong: an account is what somebody may have edited; the directory is what is believed.

use avatarpipe_sandbox::jira::world::Standing;

use super::harness::Harness;
use super::population::{Population, address};
use super::truth::Shows::{Default, Face, Start};

/// Mallory writes Ada's address into the own account.
#[test]
fn an_address_that_a_later_pair_contradicts_is_a_conflict() {
    let population =
        || Population::of(&["ada", "mallory"]).account("mallory", |account| account.email = Some(address("ada")));
    let harness = Harness::of(population().world());
    harness.run().expect_exit(0).expect_line("mallory", "conflict", "conflict", "none");
    harness.expect_shown(&[("mallory", Start), ("ada", Face("ada"))]);

    // Nothing but the address is asked: both are left alone.
    let harness = Harness::of(population().world()).with(|pipe| _ = pipe.jira("match", "[email]"));
    harness.run().expect_exit(0).expect_line("mallory", "conflict", "ambiguous", "none");
    harness.expect_shown(&[("mallory", Start), ("ada", Start)]);

    // Mallory's own person has no address, so that no key of theirs contradicts the one that was written.
    let population = Population::of(&["ada"]).with_person("mallory").with_account("mallory");
    let population = population.person("mallory", |person| person.mail = None);
    let population = population.account("mallory", |account| account.email = Some(address("ada")));
    let harness = Harness::of(population.world());
    harness.run().expect_exit(0).expect_line("mallory", "conflict", "conflict", "none");
    harness.expect_shown(&[("mallory", Start), ("ada", Face("ada"))]);
}

/// Ada left; whoever takes her address does not get her face. A new account under her name does.
#[test]
fn a_disabled_account_of_the_same_address_makes_the_other_ambiguous_unless_the_name_confirms_it() {
    let population = Population::of(&["ada", "grace"])
        .with_account("mallory")
        .account("ada", |account| account.standing = Standing::Inactive)
        .account("mallory", |account| account.email = Some(address("ada")));
    let harness = Harness::of(population.world());
    harness.run().expect_exit(0).expect_line("mallory", "conflict", "ambiguous", "none");
    harness.expect_shown(&[("mallory", Start), ("grace", Face("grace"))]);

    let population = Population::of(&["ada"]).with_account("ada.old").account("ada.old", |account| {
        account.email = Some(address("ada"));
        account.standing = Standing::Inactive;
    });
    let harness = Harness::of(population.world());
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("ada.old", Start)]);
    // Without the name nothing tells the two apart.
    let harness = harness.with(|pipe| _ = pipe.jira("match", "[email]"));
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0).expect_line("ada", "conflict", "ambiguous", "none");
    harness.expect_shown(&[("ada", Face("ada"))]);
}

#[test]
fn signs_that_only_look_like_letters_match_nobody() {
    for (name, like) in [("ceo", "ｃｅｏ"), ("finn", "\u{fb01}nn"), ("kim", "\u{212a}im"), ("sam", "ſam")] {
        let population = || {
            let population = Population::of(&["ada"]).with_person(name).with_account("mallory");
            population.account("mallory", |account| account.email = Some(address(like)))
        };
        let harness = Harness::of(population().world());
        harness.run().expect_exit(0);
        harness.expect_shown(&[("mallory", Start), ("ada", Face("ada"))]);
        // In a list of who is who, too.
        let harness =
            Harness::of(population().world()).with(|pipe| _ = pipe.jira("match", "{ map: users.csv, account: email }"));
        harness.write("users.csv", format!("person,account\n{0},{0}\n{1},{1}\n", address(name), address("ada")));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("mallory", Start), ("ada", Face("ada"))]);
        // Who is to be left alone is known in whatever signs: there a hit gives nobody a face.
        let harness = Harness::of(population().world()).with(|pipe| {
            pipe.jira("match", "{ map: users.csv, account: email }");
            pipe.entra("users", &format!("{{ opted_out: ['{}'], exclude: ['{}'] }}", address(like), address(like)));
            pipe.jira("accounts", "{ exclude: ['ＭＡＬＬＯＲＹ', ' ADA2 '] }");
        });
        harness.write("users.csv", format!("person,account\n{},{}\n", address(name), address(like)));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("mallory", Start)]);
        let harness = harness.with(|pipe| _ = pipe.jira("accounts", "{}"));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("mallory", Start)]);
    }
}

/// Who opted out is not held by somebody who claims the same address.
#[test]
fn an_account_that_is_not_selected_does_not_keep_the_picture_of_who_opted_out() {
    for accounts in ["{ exclude: ['ada'] }", "{ rollout: 0% }"] {
        let mut harness = Harness::with_people(&["ada", "grace"]);
        harness.run().expect_exit(0);
        harness.edit(|pipe| {
            pipe.entra("users", "{ opted_out: ['ada@*'] }");
            pipe.jira("accounts", accounts);
        });
        harness.run().expect_exit(0).expect_line("ada", "remove", "opted_out", "done");
        harness.expect_shown(&[("ada", Default), ("grace", Face("grace"))]);
    }
}

#[test]
fn a_claim_on_who_opted_out_does_not_keep_our_picture_up() {
    for (keys, names) in [("[email]", "ambiguous"), ("{ map: users.csv }", "nobody")] {
        println!("{names}");
        let population = Population::of(&["ada", "grace"]).with_account("mallory");
        let population = population.account("mallory", |account| account.email = Some(address("ada")));
        let mut harness = Harness::of(population.world()).with(|pipe| _ = pipe.jira("match", "[username]"));
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
        harness.write("users.csv", format!("person,account\n{},grace\n", address("grace")));
        harness.edit(|pipe| _ = pipe.jira("match", keys));
        harness.new_photo("grace", "spare");
        harness.run().expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("spare"))]);
        harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['ada@*'] }"));
        harness.run().expect_exit(0).expect_line("ada", "remove", "opted_out", "done");
        harness.expect_shown(&[("ada", Default), ("mallory", Start), ("grace", Face("spare"))]);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
}
