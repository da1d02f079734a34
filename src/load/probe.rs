//! Trying out how pictures go: what a probe is and says, and what those of all products share.
//!
//! Owns: the throw-away picture, and the intent that is written down before it is sent.
//! Leaves to others: the steps of each product, and taking the picture back (`*/probe.rs`).
//! A newcomer gets wrong: a probe is a write like any other. It is killed like any other too, so what takes it back
//! later is the same look at the server and the same mending.

use bytes::Bytes;

use super::clock::now;
use super::fingerprinter::Fingerprinter;
use super::write::{Journal, WriteError};
use crate::http::{Failure, FailureKind};
use crate::model::{
    AccountId, Before, Fault, Intent, IntentKind, MediaType, PictureRef, Rendition, RunId, ServerId, Shown, TargetId,
};

/// Leave to send a throw-away picture, and where to write it down.
pub struct Probe<'a> {
    /// The run that probes.
    pub run: &'a RunId,
    /// For the probe's intent.
    pub journal: &'a mut dyn Journal,
}

/// What came of trying one way that pictures can go ([`Target::try_out`](super::Target::try_out)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Which way: as [`Upload::route`](super::Upload::route).
    pub route: String,
    /// What it said.
    pub told: ProbeResult,
}

/// What ends a probe early.
pub(super) enum ProbeEnd {
    NotTried(String),
    Fails(Fault),
    Stop(Failure),
}

impl From<Failure> for ProbeEnd {
    fn from(failure: Failure) -> Self {
        Self::Stop(failure)
    }
}

impl From<WriteError> for ProbeEnd {
    fn from(error: WriteError) -> Self {
        error.fault().map_or_else(Self::Stop, Self::Fails)
    }
}

/// What one way that pictures can go said when it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// The picture got there, and was taken back.
    Works,
    /// It did not, or could not be taken back.
    Fails(Failure),
    /// It was left out: trying it could have destroyed something. Says why.
    NotTried(String),
}

/// The service account, as the server shows it.
pub(crate) struct Own {
    pub server: ServerId,
    pub account: AccountId,
    pub name: String,
    pub handle: Option<String>,
    pub shown: Shown,
}

/// The intent of a probe with this picture.
pub(crate) fn intent(probe: &Probe<'_>, target: &TargetId, own: Own, picture: &Rendition) -> Intent {
    Intent {
        run: probe.run.clone(),
        target: target.clone(),
        server: own.server,
        account: own.account,
        account_name: own.name,
        handle: own.handle,
        kind: IntentKind::Probe,
        person: None,
        photo: None,
        recipe: None,
        rendition: Some(picture.digest),
        luma: picture.luma.clone(),
        before: Before::from(&own.shown),
        stood: own.shown,
        base: Vec::<PictureRef>::new(),
        making: None,
        old: None,
        old_looks: None,
        keys: None,
        owner: None,
        stood_in: None,
        stood_of: None,
        back: None,
        begun_at: now(),
    }
}

/// The server that was identified before, without which nothing is written down.
pub(crate) fn server(known: Option<ServerId>, tried: impl FnOnce() -> String) -> Result<ServerId, Failure> {
    known.ok_or_else(|| Failure::new(FailureKind::Odd, tried(), "the server was not identified before"))
}

/// A grey picture that no portrait looks like: two crossed slopes. `looks` where what is served is compared with it.
pub(crate) fn picture(side: u32, looks: Option<&dyn Fingerprinter>) -> Result<Rendition, Failure> {
    let wide = u64::from(side.max(2));
    let slope = |at: u64| if at < wide / 2 { at } else { wide - 1 - at };
    let grey = |at: u64| (slope(at / wide) + slope(at % wide)) * 255 / (wide - 2).max(1);
    let grey: Vec<u8> = (0..wide * wide).map(|at| u8::try_from(grey(at)).unwrap_or(u8::MAX)).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side.max(2), side.max(2));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&grey))
        .map_err(|error| Failure::new(FailureKind::Odd, "making a picture for the probe", error.to_string()))?;
    let luma = looks.and_then(|looks| looks.luma(&bytes));
    Ok(Rendition::new(Bytes::from(bytes), MediaType::Png, side, luma))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_sends_a_real_picture() {
        for side in [48, 256] {
            let picture = image::load_from_memory(&picture(side, None).unwrap().bytes).unwrap().to_luma8();
            assert_eq!(picture.dimensions(), (side, side));
            let middle = side / 2;
            assert!(picture.get_pixel(0, 0).0[0] < 8 && picture.get_pixel(middle, middle).0[0] > 240, "{side}");
        }
    }
}
