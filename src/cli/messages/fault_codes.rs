//! What each code of a person's fault means, for docs/messages.md.
//!
//! Owns: one sentence for each, with what to do where somebody can. Leaves to others: which codes there are, which is read from the
//! code (`messages`).
//! A newcomer gets wrong: the message behind a code says what was found on that day; this says what is always so.

/// Every code, in order.
pub(super) const MEANINGS: [(&str, &str); 65] = [
    (
        "account_mixed_up",
        "Confluence answered for another account than it was asked about; nothing is written to this one",
    ),
    ("account_odd", "the server's answer about the account is not what it documents; nothing is written to it"),
    ("account_unread", "the server did not say what the account shows; the next run asks again"),
    (
        "answer_is_a_page",
        "a web page came where JSON is documented: a sign-in page, or something between here and the server",
    ),
    (
        "answer_odd",
        "the server answered a write with something else than it documents; the next run looks what became of it",
    ),
    (
        "answer_too_large",
        "the answer to a write is longer than any that is right; the next run looks what became of it",
    ),
    (
        "avatars_odd",
        "the server's list of the account's avatars is not what it documents; nothing is written to the account",
    ),
    ("backslash", "a path in `photo` has `\\`; write `/` in the table"),
    ("changed_meanwhile", "the table was changed while it was read; the next run reads it anew"),
    (
        "confirmation_odd",
        "Jira answered the confirmation of an upload with something else than it documents; the session is thrown away",
    ),
    ("connection_lost", "the connection broke after a write was sent; the next run looks what became of it"),
    (
        "content_odd",
        "Confluence named the page of an account's pictures by something that is no id; nothing is removed there",
    ),
    (
        "contradicted",
        "two answers about one photo say different things, so nobody knows whether there is one; the next run asks again",
    ),
    (
        "default_unknown",
        "it cannot be told which picture is the product's default, so nobody is given it; the next run asks again",
    ),
    ("forbidden", "the server refused a write to this account alone; compare its rights with docs/guide/rights.md"),
    ("gone", "what was to be shown or changed is not there any more: the account, or its earlier picture"),
    ("limit", "a limit stopped the target before this change was begun; nothing was written to the target"),
    ("mark_odd", "what Jira calls a picture is no id of an avatar; nothing is deleted by it"),
    (
        "may_be_another",
        "pictures were mixed up in this run, and this one could not be looked at; the message says whether it was taken back",
    ),
    ("maybe", "a write was sent and no answer came; the run looks again, and so does the next"),
    (
        "misplaced",
        "the picture is shown by another account than it was made for; see `misplaced` at the top of the report",
    ),
    (
        "name_not_xml",
        "the user name holds a character that XML, and so Confluence's remote interface, cannot hold: exclude the account",
    ),
    (
        "no_photo_column",
        "the table has no column `photo`, which says of nobody that there is no picture; add the column",
    ),
    (
        "no_photo_named",
        "no row of the table names a picture, which says of nobody that there is none; name those that are there",
    ),
    ("no_rendition", "a write was asked for without a picture to send: a fault of avatarpipe, please report it"),
    ("no_session", "no session with the server could be begun to take a picture back; take it off by hand"),
    ("no_slug", "Bitbucket's address of the account could not be learnt, so its picture cannot be asked for"),
    ("not_cached", "the picture to send is not in the cache any more; run again, and it is made anew"),
    ("not_connected", "the server could not be reached, so nothing was sent; the next run tries again"),
    (
        "not_found_unexplained",
        "Google answered 404 without one of the reasons that it documents, so it is not known whether there is a photo",
    ),
    ("not_kept", "what was to be replaced could not be kept for `undo` (`keep_replaced`), so it was not replaced"),
    (
        "not_looked_at",
        "what the account shows could not be looked at, so nothing is decided by it; the next run looks again",
    ),
    (
        "not_mendable",
        "what an earlier run left half done can be neither completed nor taken away here; the message says why",
    ),
    ("not_ours", "what stands there is not what we wrote, so it is not deleted"),
    (
        "not_removed",
        "a file of ours that nobody is shown any more could not be removed from Confluence; the next run tries again",
    ),
    ("not_sent", "the request could not be put together, so nothing was sent; the message says why"),
    (
        "not_shown",
        "the write was answered with a success, and the account shows something else; the next run looks again",
    ),
    (
        "not_taken_back",
        "what a probe or a misplaced write left could not be taken back; the message says where to take it off by hand",
    ),
    (
        "odd_answer",
        "the provider answered with something else than it documents, so it is not known whether there is a photo",
    ),
    ("odd_body", "an answer with a photo holds none that can be read, so it is not known whether there is one"),
    ("odd_name", "the account's name cannot be the name of a file"),
    ("outside_folder", "the path in `photo` leads out of the folder of the source; nothing outside of it is read"),
    ("part_missing", "the provider left this person out of its answer about many; the next run asks again"),
    ("photo_too_large", "the photo has more bytes than any photo needs; put a smaller one into the directory"),
    ("picture_twice", "two files have the name in `photo`, but for case or Unicode form; rename one of them"),
    ("picture_unread", "Jira did not serve a picture that was to be looked at; nothing is decided by it"),
    ("refused", "the server refused the write; the message has its words"),
    (
        "secret_given_back",
        "the answer holds one of our secrets, so nothing of it is kept or told; the next run looks what became of the write",
    ),
    ("server_error", "the server failed at this request (5xx); the next run tries again"),
    (
        "sign_in_page",
        "a web page came where a photo was expected: a sign-in page, or something between here and the provider",
    ),
    (
        "stale",
        "a reviewed change was not made, since what it was decided by is not so any more; make and review a new plan",
    ),
    ("stopped", "the run was asked to stop before this was begun; run again to go on"),
    (
        "table_cut",
        "the last line of the table names no picture and has no line end, so it may be cut; end it with a line break",
    ),
    ("test", "the photo is unknown since the test says so (`avatarpipe test`)"),
    ("throttled", "the server asked to wait for longer than the run would (429); lower the rate, or run again later"),
    ("timed_out", "no answer to a write came in time (`http: { timeout: … }`); the next run looks what became of it"),
    ("too_large", "the server takes no pictures of this many bytes; lower `transform.resize.size`"),
    (
        "too_many_alike",
        "more new avatars look like the one of an interrupted upload than it can have made, so some are the person's own and none is deleted",
    ),
    ("unauthorized", "the sign-in did not hold for this one request; the message says whether a permission is missing"),
    ("unreadable", "the file cannot be read or written; the message has what the system said"),
    ("upload_odd", "Jira answered an upload with something else than it documents; the session is thrown away"),
    ("user_odd", "Jira answered for another account than it was asked about; nothing is written"),
    (
        "wants_a_crop",
        "Jira wants to cut the picture itself even at the size that it takes whole; use `upload: session`",
    ),
    ("wrong_account", "the endpoint answered for another account than it was asked about; nothing counts as written"),
    ("wrong_person", "the provider answered with the photo of another person, so it is not known whether there is one"),
];
