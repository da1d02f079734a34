//! What a run goes through page by page, so that no memory grows with the number of people (promise P9).
//!
//! Owns: the size of a page, and going from one to the next. Leaves to others: reading one (`state`).
//! A newcomer gets wrong: a page that is not full is not the last one; an empty one is.

/// People, accounts or decisions handled at a time.
pub(crate) const PAGE: usize = 500;

/// Page after page, up to the first empty one. `read` is told after whom a page begins; `at` says where one stands. Nothing
/// comes after a page that could not be read.
pub(crate) fn each_page<T, At, E>(
    mut read: impl FnMut(Option<&At>) -> Result<Vec<T>, E>,
    at: impl Fn(&T) -> At,
) -> impl Iterator<Item = Result<Vec<T>, E>> {
    let (mut after, mut failed) = (None, false);
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        match read(after.as_ref()) {
            Ok(page) => {
                after = Some(at(page.last()?));
                Some(Ok(page))
            }
            Err(error) => {
                failed = true;
                Some(Err(error))
            }
        }
    })
}
