//! Whole answers on screens of 40, 80 and 200 columns: nothing is wider, no word is broken.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo, PhotoFailure};

use super::harness::Harness;
use super::population::Population;
use super::printed::expect_printed;
use super::redact::replace;

fn harness() -> Harness {
    let population = Population::of(&["ada", "grace", "alan", "edsger", "barbara", "donald"])
        .person("barbara", |person| {
            person.proxy_addresses.push("smtp:donald@contoso.example".into());
        })
        .chose_by_hand("alan")
        .photo("alan", Photo::None(NoPhoto::ImageNotFound))
        .photo("edsger", Photo::Failure(PhotoFailure::NoMailbox));
    let names = [
        ("ada", "Ada Lindqvist"),
        ("alan", "Alan Whitfield"),
        ("barbara", "Karen Oyelaran"),
        ("donald", "Leslie Park"),
    ];
    let population = names
        .into_iter()
        .fold(population, |population, (login, name)| population.person(login, |person| person.name = name.to_owned()));
    Harness::of(population.world()).with(|pipe| _ = pipe.top("limits", "{ replacements: { count: 1 } }"))
}

#[test]
fn an_answer_fits_its_screen() {
    for columns in [40, 80, 200] {
        let mut harness = harness();
        harness.tell("COLUMNS", &columns.to_string());
        let mut ended = harness.plan_with(&["--out", "plan.json"]).expect_exit(4);
        let wide = ended.stdout.lines().find(|line| line.chars().count() > columns);
        assert_eq!(wide, None, "{columns}");
        assert!(!ended.stdout.contains(['\u{1b}']) && !ended.stdout.contains("b3:"), "{}", ended.stdout);
        ended.stderr.clear();
        // A line may break before the id of a request.
        ended.stdout = replace(&ended.stdout, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "<guid>");
        expect_printed(&format!("width-{columns}"), &harness, &ended);
    }
    let mut harness = harness();
    harness.tell("COLUMNS", "80");
    harness.plan_with(&["-v"]).expect_exit(4).expect_answer("default → b3:");
}

#[test]
fn what_is_known_of_somebody_and_of_runs_fits_its_screen() {
    for columns in [40, 80, 200] {
        let mut harness = harness();
        harness.tell("COLUMNS", &columns.to_string());
        harness.run().expect_exit(4);
        let printed = |arguments: &[&str]| {
            let ended = harness.finish(arguments).expect_exit(0);
            let wide = ended.stdout.lines().find(|line| line.chars().count() > columns || line.ends_with(' '));
            assert_eq!(wide, None, "{columns}");
            ended.holds(!ended.stdout.contains("b3:"), "digests are for -v");
        };
        printed(&["explain", "pipeline.yaml", "edsger"]);
        printed(&["status", "pipeline.yaml"]);
    }
}
