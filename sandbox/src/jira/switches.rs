//! Everything docs/wire/atlassian.md could not verify, or that a site configures, as a named switch.
//!
//! Owns: the switches and their defaults (the best guess of docs/wire/atlassian.md).
//! Leaves to others: acting on them.
//! A newcomer gets wrong: `version` is not "off"; it is what the played release does.

use crate::atlassian::switches::{BY_VERSION, ON_OFF, STRANGERS};
use crate::switches::Values::{self, Number, OneOf};
use crate::switches::switches;

const IMAGES: Values = OneOf(&["served", "login"]);

switches! {
    SESSION_LOGIN = "session_login", BY_VERSION, "version",
        "Whether /rest/auth/1/session gives sessions; by version below 11.0 (§1.3).";
    ANONYMOUS_SERVER_INFO = "anonymous_server_info", STRANGERS, "anonymous", "/serverInfo without a login (§3.1).";
    ANONYMOUS_SEARCH = "anonymous_search", STRANGERS, "refused",
        "/user/search and /user/list without a login: 401, or 200 with nobody (§2.2, §9).";
    ANONYMOUS_IMAGES = "anonymous_images", IMAGES, "served", "/secure/useravatar without a login (§3.2).";
    TOKEN_IMAGES = "token_images", IMAGES, "served", "/secure/useravatar with a token (JRASERVER-72378, §3.2).";
    MISSING_IMAGE = "missing_image", OneOf(&["default", "not_found"]), "default",
        "/secure/useravatar for an id that is not there or not that owner's.";
    PERMISSION_STATUS = "permission_status", OneOf(&["401", "403"]), "403",
        "Status of a missing permission: 401 in old code, 403 in the document (§3.9).";
    USER_LIST = "user_list", BY_VERSION, "version", "Whether /user/list exists; by version 11.0 and the recent 10.3 LTS (§3.3).";
    TOKEN_SCOPE = "token_scope", OneOf(&["all", "service"]), "all",
        "What a token may call: everything, or what a service account's may from Jira 11 on, which is neither /user/list nor ADMIN (§13).";
    SEARCH_REACH = "search_reach", OneOf(&["version", "100", "1000"]), "version",
        "How many users exist for /user/search; by version, and up to 8.20.3 sometimes 1000 or 100 (§13).";
    USER_LIST_AVATARS = "user_list_avatars", ON_OFF, "on", "Whether the values of /user/list carry avatarUrls (§11.3).";
    USER_LIST_INACTIVE = "user_list_inactive", ON_OFF, "on", "Whether /user/list includes inactive accounts.";
    GROUP_PAGE = "group_page", Number, "50", "Largest page of /group/member (§3.3).";
    ONE_STEP = "one_step", ON_OFF, "on", "Whether a square picture of at most 48 px is created in one request (§1.2, §11.1).";
    RAW_UPLOAD = "raw_upload", OneOf(&["accepted", "404", "405", "415"]), "accepted",
        "Whether the raw-body variant of the upload is there (§11.2).";
    MULTIPART_UPLOAD = "multipart_upload", ON_OFF, "on", "Whether the multipart variant of the upload is there (§3.5).";
    SELECT_ANSWER = "select_answer", OneOf(&["version", "204", "bean"]), "version",
        "What a successful select answers; by version a bean from 10.0 (§3.5 step 3).";
    SELECTED_FIELD = "selected_field", OneOf(&["both", "isSelected", "selected"]), "both",
        "Which of the two equal fields an avatar bean has (§3.4).";
    BEAN_IDS = "bean_ids", OneOf(&["text", "number"]), "text", "How ids stand in avatar beans (§3.4).";
    BAD_SELECT = "bad_select", OneOf(&["stores_null", "fails"]), "stores_null",
        "A select with an absent or unparsable id (§3.5 step 3).";
    FOREIGN_SELECT = "foreign_select", OneOf(&["stored", "refused"]), "stored",
        "A select of an id that is neither a system avatar nor one of that user's.";
    GRAVATAR = "gravatar", ON_OFF, "off", "Whether Gravatar stands in for the default (§3.2).";
    EMAIL = "email", OneOf(&["shown", "hidden", "masked"]), "shown", "What others see of an e-mail address (§3.2).";
    ATTACHMENT_LIMIT = "attachment_limit", Number, "10485760", "Largest upload in bytes (§3.5).";
    MEGAPIXELS = "megapixels", Number, "5", "jira.avatar.megapixels (§3.5).";
}
