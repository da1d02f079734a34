//! The errors of the token endpoint (docs/wire/microsoft-graph.md §1.6).

#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenError {
    pub(super) error: &'static str,
    pub(super) code: u32,
    pub(super) message: String,
}

/// The rows of §1.6 that no request brings about, by the number that a dialled-in fault names.
pub(super) fn dialled(word: &str) -> Option<TokenError> {
    let code = word.parse().ok().or_else(|| (word == "temporarily_unavailable").then_some(90_033))?;
    let (error, message) = match code {
        70_021 => ("invalid_client", "No matching federated identity record found for presented assertion."),
        53_003 | 530_032 => ("invalid_grant", "Access has been blocked by Conditional Access policies."),
        90_038 => ("invalid_request", "The tenant belongs to another national cloud."),
        700_022 => ("invalid_scope", "The provided value for scope contains more than one resource."),
        90_006 | 90_012 | 90_024 | 90_033 | 90_090 | 90_055 => {
            ("temporarily_unavailable", "A transient error has occurred. Please try again.")
        }
        _ => return None,
    };
    Some(TokenError { error, code, message: message.to_owned() })
}

pub(super) fn refuse<T>(error: &'static str, code: u32, message: impl Into<String>) -> Result<T, TokenError> {
    Err(TokenError { error, code, message: message.into() })
}
