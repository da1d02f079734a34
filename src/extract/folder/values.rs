//! Values that a column cannot hold: what a spreadsheet made of them, and addresses that are none.
//!
//! Owns: whether a value says what its column means. Leaves to others: signs that nobody sees (`table`), which columns there
//! are (`people`).
//! A newcomer gets wrong: what stands for "none", such as `n/a`, is a key like any other, and an account may have it, too: so
//! it is refused and never compared (promise P1).

/// What is wrong with the value of a column, if anything is; `keys` are the columns by which people are known.
pub(super) fn doubt(keys: &[&str], column: &str, text: &str) -> Option<String> {
    let found = match text {
        "" => return None,
        text if is_error(text) => "what a spreadsheet shows in place of a value it cannot find: mend the formula",
        text if keys.contains(&column) && is_shortened(text) => {
            "a number that a spreadsheet shortened: format the column as text, and type it again"
        }
        text if column == "email" => return text.split(';').find_map(|address| no_address(address.trim())),
        _ => return None,
    };
    Some(format!("`{column}` is `{}`: {found}", text.escape_debug()))
}

/// `#N/A`, `#REF!`, `#NAME?` and their like, as all spreadsheets write them.
fn is_error(text: &str) -> bool {
    const ERRORS: [&str; 9] = ["#n/a", "#nv", "#ref!", "#bezug!", "#name?", "#value!", "#wert!", "#div/0!", "#null!"];
    ERRORS.contains(&text.to_lowercase().as_str())
}

/// `1.23E+11`, also with a decimal comma.
fn is_shortened(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let mut parts = mantissa.splitn(2, ['.', ',']);
    parts.all(digits) && exponent.strip_prefix('+').is_some_and(digits)
}

/// Whoever has none leaves the field empty; several have `;` between them.
fn no_address(address: &str) -> Option<String> {
    if address.is_empty() {
        return None;
    }
    let shown = address.escape_debug();
    let odd = address.contains(|sign: char| sign.is_whitespace() || matches!(sign, ',' | '<' | '>' | ':'));
    if address.matches('@').count() > 1 || (odd && address.contains('@')) {
        return Some(format!("`email` is `{shown}`: write addresses alone, and `;` between two"));
    }
    let whole = address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    (!whole).then(|| format!("`email` is `{shown}`, and no address: leave the field empty if there is none"))
}

#[cfg(test)]
mod tests {
    use super::doubt;

    #[test]
    fn what_says_nothing_or_two_things_is_refused() {
        for (column, text, words) in [
            ("email", "ada@example.com", None),
            ("email", "ada@example.com;  countess@example.com;", None),
            ("email", "zo\u{eb}@localhost", None),
            ("email", "n/a", Some("`email` is `n/a`, and no address")),
            ("email", "ada@", Some("no address")),
            ("email", "-", Some("no address")),
            ("email", "a@example.com, b@example.com", Some("`;` between two")),
            ("email", "a@example.com b@example.com", Some("`;` between two")),
            ("email", "a@example.com;b@example.comc@example.com", Some("`;` between two")),
            ("email", "Ada <a@example.com>", Some("addresses alone")),
            ("email", "mailto:a@example.com", Some("addresses alone")),
            ("employee_id", "1.23457E+11", Some("shortened")),
            ("id", "1,2E+05", Some("shortened")),
            ("id", "1E+05", Some("shortened")),
            ("employee_id", "0042", None),
            ("employee_id", "1E05", None),
            ("username", "e+1", None),
            ("name", "1.23E+05", None),
            ("name", "#N/A", Some("a spreadsheet")),
            ("photo", "#REF!", Some("a spreadsheet")),
            ("photo", "#1.jpg", None),
        ] {
            let told = doubt(&["id", "email", "username", "employee_id"], column, text);
            assert_eq!(told.is_some(), words.is_some(), "{column} {text}: {told:?}");
            assert!(told.iter().zip(words).all(|(told, words)| told.contains(words)), "{column} {text}: {told:?}");
        }
    }
}
