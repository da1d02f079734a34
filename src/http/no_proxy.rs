//! `NO_PROXY`, as curl reads it: who runs this beside curl must not meet another reading.
//!
//! Owns: that reading (curl's `lib/noproxy.c`), and the proxy that the environment names. Leaves to others: using it.
//! A newcomer gets wrong: `*` has its meaning only alone; entries are parted by commas or blanks; `corp.example` and
//! `.corp.example` are the same, and neither means `badcorp.example`.

use std::net::IpAddr;

use url::{Host, Url};

/// Looks a variable up.
pub(super) type VariableLookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether the environment wants no proxy for this server.
pub(super) fn bypasses(base: &Url, look: VariableLookup<'_>) -> bool {
    let Some(list) = look("no_proxy").or_else(|| look("NO_PROXY")) else { return false };
    if list.trim() == "*" {
        return true;
    }
    let mut entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
    match base.host() {
        None => false,
        Some(Host::Domain(name)) => entries.any(|entry| is_below(name, entry)),
        Some(Host::Ipv4(address)) => entries.any(|entry| holds(entry, IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => entries.any(|entry| holds(entry, IpAddr::V6(address))),
    }
}

/// The proxy that the environment names for servers behind TLS.
pub(super) fn proxy(look: VariableLookup<'_>) -> Option<String> {
    let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let url = names.iter().find_map(|name| look(name).filter(|url| !url.trim().is_empty()))?;
    Some(if url.contains("://") { url } else { format!("http://{url}") })
}

fn is_below(name: &str, entry: &str) -> bool {
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry).to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    !entry.is_empty() && name.strip_suffix(&entry).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// An address, or a network such as `10.0.0.0/8`.
fn holds(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => match bits.parse::<u32>() {
            Ok(bits) => (network, Some(bits)),
            Err(_) => return false,
        },
        None => (entry, None),
    };
    let network = network.trim_start_matches('[').trim_end_matches(']');
    match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => {
            same(network.to_bits().into(), address.to_bits().into(), bits.unwrap_or(32), 32)
        }
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => {
            same(network.to_bits(), address.to_bits(), bits.unwrap_or(128), 128)
        }
        _ => false,
    }
}

/// Whether the first `bits` of two addresses that are `width` long are the same.
fn same(one: u128, other: u128, bits: u32, width: u32) -> bool {
    bits <= width && (one ^ other).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_mean_what_they_mean_to_curl() {
        for (list, url, without) in [
            ("*", "https://jira.corp.example", true),
            ("corp.example,*", "https://jira.other.example", false),
            ("corp.example", "https://corp.example", true),
            ("corp.example", "https://jira.corp.example", true),
            (".corp.example", "https://corp.example", true),
            (".corp.example", "https://JIRA.corp.example", true),
            ("CORP.example.", "https://jira.corp.example", true),
            ("corp.example", "https://jira.corp.example.", true),
            ("corp.example", "https://badcorp.example", false),
            ("*.corp.example", "https://jira.corp.example", false),
            ("a.example b.example\tc.example", "https://c.example", true),
            ("a.example, b.example", "https://b.example", true),
            ("jira.corp.example:443", "https://jira.corp.example", false),
            ("", "https://jira.corp.example", false),
            (",.,", "https://jira.corp.example", false),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("10.1.2.3", "https://10.1.2.3", true),
            ("10.1.2.3", "https://10.1.2.33", false),
            ("0.0.0.0/0", "https://192.0.2.1", true),
            ("10.0.0.0/33", "https://10.0.0.0", false),
            ("10.0.0.0/x", "https://10.0.0.0", false),
            ("2001:db8::/32", "https://[2001:db8:1::2]", true),
            ("[2001:db8::1]", "https://[2001:db8::1]", true),
            ("2001:db8::1", "https://[2001:db8::2]", false),
            ("::/0", "https://[2001:db8::2]", true),
        ] {
            let look = |name: &str| (name == "no_proxy").then(|| list.to_owned());
            assert_eq!(bypasses(&Url::parse(url).unwrap(), &look), without, "`{list}` {url}");
        }
    }

    #[test]
    fn the_small_letters_come_first() {
        let of = |set: &'static [(&str, &str)]| {
            move |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let url = Url::parse("https://a.example").unwrap();
        assert!(bypasses(&url, &of(&[("no_proxy", "a.example"), ("NO_PROXY", "")])));
        assert!(!bypasses(&url, &of(&[("no_proxy", ""), ("NO_PROXY", "a.example")])));
        assert!(bypasses(&url, &of(&[("NO_PROXY", "a.example")])) && !bypasses(&url, &of(&[])));
        assert_eq!(proxy(&of(&[("HTTPS_PROXY", "p:3128")])).as_deref(), Some("http://p:3128"));
        assert_eq!(proxy(&of(&[("HTTPS_PROXY", " "), ("ALL_PROXY", "https://q")])).as_deref(), Some("https://q"));
        assert_eq!(proxy(&of(&[])), None);
    }
}
