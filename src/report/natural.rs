//! Names in the order in which people count: `User 2` before `User 10`.
//!
//! Owns: that order. Leaves to others: what is sorted by it (`people`, `contact_sheet`).

/// What a name is sorted by.
pub(super) fn natural(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            key.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            key.push_str(&format!("{:0>20}", &rest[..digits]));
            rest = &rest[digits..];
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_and_all_else_is_spelt() {
        for ascending in
            [["User 2", "User 10"], ["a9b2", "a9b10"], ["Ada", "Ada 1"], ["7", "Ada"], ["\u{e4}2", "\u{e4}10"]]
        {
            assert!(natural(ascending[0]) < natural(ascending[1]), "{ascending:?}");
        }
    }
}
