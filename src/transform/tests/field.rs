//! Kinds of files that people reported against other tools, each with what must come out: `fixtures/field`.

use std::collections::BTreeSet;

use super::fixtures::{read, sized};
use crate::settings::Format;
use crate::transform::{DecodeLimits, render};

/// Mean absolute difference to what Pillow makes of it with libjpeg, libpng and its own readers.
const APART: f64 = 4.0;

fn folder() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/field");
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().into_os_string().into_string().unwrap()).collect()
}

#[test]
fn files_of_the_field_come_out_as_viewers_show_them() {
    let mut wrong = Vec::new();
    let (expected, inputs): (Vec<_>, Vec<_>) =
        folder().into_iter().filter(|path| !path.ends_with(".md")).partition(|path| path.ends_with(".expected.png"));
    let expected: BTreeSet<String> = expected.into_iter().collect();
    assert!(inputs.len() >= 30 && inputs.len() == expected.len(), "{} inputs", inputs.len());
    for input in inputs {
        let (stem, _) = input.rsplit_once('.').unwrap();
        let wanted = image::open(format!("{stem}.expected.png")).unwrap().into_rgb8();
        let photo = std::fs::read(&input).unwrap();
        let found = match render(&photo, &sized(256, Format::Png), None, &DecodeLimits::default()) {
            Ok(rendered) => read(&rendered),
            Err(refusal) => {
                wrong.push(format!("{input}: {refusal}"));
                continue;
            }
        };
        let sum: u64 = found.iter().zip(wanted.iter()).map(|(found, wanted)| u64::from(found.abs_diff(*wanted))).sum();
        let apart = sum as f64 / wanted.len() as f64;
        if found.dimensions() != wanted.dimensions() || apart >= APART {
            wrong.push(format!("{input}: {:?}, {apart:.1} apart", found.dimensions()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same at sizes for which another decoder is asked.
#[test]
fn a_file_of_the_field_looks_the_same_at_every_size() {
    for input in folder().into_iter().filter(|path| path.ends_with(".jpg")) {
        let photo = std::fs::read(&input).unwrap();
        let [large, small] = [256, 24].map(|size| {
            let rendered = render(&photo, &sized(size, Format::Png), None, &DecodeLimits::default());
            rendered.unwrap_or_else(|refusal| panic!("{input}: {refusal}")).luma.unwrap()
        });
        assert!(large.distance(&small) < 8.0, "{input}: {}", large.distance(&small));
    }
}
