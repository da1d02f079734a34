//! Everything about Bitbucket that docs/wire/atlassian.md could not verify, or that a site configures, as a named
//! switch.
//!
//! Owns: the switches and their defaults (the best guess of docs/wire/atlassian.md).
//! Leaves to others: acting on them; the switches of every Atlassian product (`atlassian::switches`).
//! A newcomer gets wrong: `avatar_urls: off` does not mean that nobody has a picture.

use crate::atlassian::switches::ON_OFF;
use crate::switches::Values::{Number, OneOf};
use crate::switches::switches;

switches! {
    TOKEN_RIGHTS = "token_rights", OneOf(&["plain", "admin"]), "plain",
        "Whether a token carries its owner's global administration (§5, §11.5).";
    TOKEN_IMAGES = "token_images", OneOf(&["served", "default"]), "served",
        "Whether a token downloads everybody's picture, or the default in place of each (§13, BSERV-19635).";
    OTHERS_PICTURES = "others_pictures", OneOf(&["stay", "may_go"]), "stay",
        "No behaviour of a server: whether a client was told to take pictures away that people uploaded. If not, it breaks a rule.";
    SINGLE_URLS = "single_urls", ON_OFF, "on", "Whether avatarSize works on a single user, too (§13).";
    AVATAR_URLS = "avatar_urls", ON_OFF, "on", "Whether avatarSize on listings gives avatarUrl (§5, §11.5).";
    AVATAR_VERSIONS = "avatar_versions", ON_OFF, "on", "Whether the avatarUrl of an uploaded picture has v (§5, §11.5).";
    GRAVATAR = "gravatar", ON_OFF, "off", "Whether Gravatar stands in for accounts without a picture (§5).";
    PAGE_CAP = "page_cap", Number, "1000", "Largest page of a listing (§5).";
    NEXT_PAGE = "next_page", OneOf(&["gaps", "sum"]), "gaps",
        "Whether nextPageStart is start+limit or has gaps; only the former is never promised (§5).";
    LISTED_INACTIVE = "listed_inactive", ON_OFF, "on", "Whether /users includes inactive accounts.";
    MAX_DIMENSION = "max_dimension", Number, "1024", "avatar.max.dimension (§5).";
    MAX_SIZE = "max_size", Number, "1048576", "avatar.max.size in bytes (§5).";
    LIMIT_STATUS = "limit_status", OneOf(&["400", "413"]), "400", "Status of a picture over a limit.";
    PROPERTIES = "properties", ON_OFF, "on", "Whether /application-properties is there.";
    WHOAMI = "whoami", ON_OFF, "on", "Whether /plugins/servlet/applinks/whoami is there.";
    ANONYMOUS_IMAGES = "anonymous_images", OneOf(&["served", "login"]), "served", "avatar.png without a login.";
}
