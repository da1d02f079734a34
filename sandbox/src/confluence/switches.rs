//! Everything about Confluence that docs/wire/atlassian.md could not verify, or that a site configures, as a named
//! switch.
//!
//! Owns: the switches and their defaults (the best guess of docs/wire/atlassian.md).
//! Leaves to others: acting on them; the switches of every Atlassian product (`atlassian::switches`).
//! A newcomer gets wrong: `version` is not "off"; it is what the played release does.

use crate::atlassian::switches::{BY_VERSION, ON_OFF, STRANGERS};
use crate::switches::Values::{Number, OneOf};
use crate::switches::switches;

switches! {
    REMOTE_API = "remote_api", OneOf(&["on", "off", "gone"]), "on",
        "/rpc: there, switched off by the administrator (403), or gone with the release (404) (§4.4, §4.7).";
    RPC_TOKENS = "rpc_tokens", OneOf(&["ignored", "honoured"]), "ignored", "Whether a token is a login on /rpc (§4.4).";
    RPC_AUTH_TYPE = "rpc_auth_type", OneOf(&["needed", "free"]), "needed",
        "Whether a basic login on /rpc needs ?os_authType=basic (§4.4).";
    RPC_HTTP_LOGIN = "rpc_http_login", ON_OFF, "on", "Whether an empty token stands for the login of the request (§4.4).";
    RPC_LOGIN = "rpc_login", ON_OFF, "on", "Whether confluence2.login gives tokens.";
    RPC_TOKEN_SECONDS = "rpc_token_seconds", Number, "1800", "How long a token of confluence2.login lives without use (§4.4).";
    RPC_EXCEPTIONS = "rpc_exceptions", OneOf(&["fault", "empty"]), "fault",
        "What an exception inside the server becomes: a fault, or 200 with nothing (§4.4).";
    RPC_ANONYMOUS = "rpc_anonymous", STRANGERS, "refused", "Calls without any login: refused by a fault, or let in as nobody.";
    WEBSUDO = "websudo", ON_OFF, "on", "Secure administrator sessions, which JSON-RPC asks for (§4.5).";
    ATTACHMENT_REMOVE = "attachment_remove", OneOf(&["allowed", "refused"]), "allowed",
        "Whether an administrator may remove a file of another's profile (§4.4, §11.4).";
    ATTACHMENT_LIMIT = "attachment_limit", Number, "0", "Largest file over /rpc in bytes; 0 for none (§4.4).";
    FOREIGN_UPLOAD = "foreign_upload", OneOf(&["keeps", "rolls_back"]), "keeps",
        "Whether the failed internal upload for another leaves the file on the caller's profile (§4.3).";
    DEFAULT_PICTURE = "default_picture", OneOf(&["version", "default.svg", "default.png"]), "version",
        "File name of the default picture (§4.1).";
    ANONYMOUS_READS = "anonymous_reads", STRANGERS, "refused",
        "Users and their lists without a login: 403, or 200 (lists with nobody in them) (§2.2).";
    ANONYMOUS_FILES = "anonymous_files", OneOf(&["served", "login"]), "login", "/download/attachments without a login.";
    TOKEN_FILES = "token_files", OneOf(&["served", "login"]), "served", "/download/attachments with a token.";
    USER_LIST = "user_list", BY_VERSION, "version", "Whether /rest/api/user/list exists; by version from 8.4 (§4.1).";
    LIST_PAGE = "list_page", Number, "200", "Largest page of /rest/api/user/list (§4.1).";
    GROUP_PAGE = "group_page", Number, "200", "Largest page of a group's members (§4.1).";
    LISTED_PICTURES = "listed_pictures", ON_OFF, "on", "Whether listed people carry profilePicture without expand (§4.1).";
    LISTED_DISABLED = "listed_disabled", ON_OFF, "on", "Whether /rest/api/user/list includes disabled users (§4.1).";
    GROUP_DISABLED = "group_disabled", ON_OFF, "on", "Whether a group's members include disabled users.";
    ACTIVE_LIST = "active_list", BY_VERSION, "version", "Whether /rest/api/admin/users/list/active exists; by version from 9.3 (§4.1).";
    GROUP_MEMBER = "group_member", BY_VERSION, "version",
        "Whether /rest/api/group/member?groupName= exists; by version from 10.2 (§13).";
    SERVER_INFORMATION = "server_information", BY_VERSION, "version",
        "Whether /rest/api/server-information exists; by version from 9.0 (§4.1).";
    MOBILE_PROFILE = "mobile_profile", ON_OFF, "on", "Whether /rest/mobile/1.0/profile exists (§4.1).";
    EMAIL = "email", OneOf(&["shown", "hidden"]), "shown", "What the calls that tell an e-mail address tell.";
    ENDPOINT = "endpoint", OneOf(&["absent", "installed"]), "absent",
        "Whether pipelines/confluence-endpoint.groovy is installed (§4.6).";
}
