/*
 * avatarpipe endpoint for Confluence Data Center: profile pictures of other people without XML-RPC.
 *
 * What it is for
 *   Confluence has no REST call that sets another person's picture. Sites that have switched the remote API (XML-RPC)
 *   off, or whose release has it no more, install this script and say `upload: endpoint` in the pipeline file.
 *
 * Installation (needs the app ScriptRunner for Confluence, Data Center)
 *   1. As a Confluence administrator: General Configuration > ScriptRunner > REST Endpoints > Create REST Endpoint >
 *      Custom Endpoint.
 *   2. Paste this file as it is, as an inline script or as a file below the script root. Save. Such a file needs a name
 *      without a dash, say `AvatarpipeEndpoint.groovy`: old ScriptRunners cannot run a class with a dash in its name.
 *   3. Put the service account into the group named in `GROUPS` below, or change that line. The account must also be a
 *      Confluence administrator: the script checks both.
 *   4. Try it: curl -u svc https://WIKI/rest/scriptrunner/latest/custom/avatarpipe
 *      Then `avatarpipe auth FILE --probe`: it shows a picture on the service account itself and takes it back, so that an
 *      API that your release no longer has is found before anybody else is touched.
 *   On Confluence 10 and later replace `javax.` by `jakarta.` in the import lines.
 *   To take it out: delete the endpoint. Pictures stay as they are.
 *
 * What it may do, and what not
 *   It answers administrators only, with 403 for anybody else. It writes attachments of one person's personal
 *   information, and that person's choice of picture; nothing else. It writes and removes only files whose name begins
 *   with `avatarpipe-`, and never removes the file that is shown. It keeps the files that people uploaded themselves.
 *
 * The contract, version 1. Base: /rest/scriptrunner/latest/custom/avatarpipe
 *   Send `X-Atlassian-Token: no-check`, and `Content-Type: application/json` with a body. All answers are JSON.
 *
 *   GET                                     200 {"endpoint":"avatarpipe","version":1,"user":"svc","admin":true,
 *                                                "prefix":"avatarpipe-","confluence":"9.2.0"}
 *                                           Who asks, and which version of this script answers. Writes nothing.
 *                                           No login: 401. Not in the group or no administrator: 403.
 *
 *   POST ?user=NAME&name=FILE[&key=KEY][&seen=PATH]
 *                                           body {"type":"image/png","picture":"BASE64"}
 *                                           Stores FILE on that person's personal information and selects it. The same
 *                                           name again is a new version of the same attachment.
 *   POST ?user=NAME&action=default[&path=DEFAULT][&key=KEY][&seen=PATH]
 *                                           Selects the default picture; no file is removed. No body is read. DEFAULT is
 *                                           the path that accounts without a picture show on this server; left out, it is
 *                                           /images/icons/profilepics/default.svg (old releases have default.png).
 *                                           Both: 200 {"user":"jdoe","key":"4028…","file":"FILE" or null,
 *                                                      "path":"/download/attachments/1114116/FILE","default":false}
 *                                           which is what the account shows afterwards.
 *
 *   DELETE ?user=NAME&name=FILE[&key=KEY]   200 {"user":"jdoe","key":"4028…","file":"FILE","removed":true}
 *                                           All versions of FILE are gone. `removed` is false if there was none.
 *
 *   `key` is the user key of the account that is meant: a name can pass to somebody else. `seen` is the picture's path as
 *   the caller saw it, without the context path; the default's two names, .svg and .png, are the same. If the name is
 *   another account's now, or the account shows another picture, the answer is 409 and nothing is written. What is left
 *   out is not compared. Of two calls at the same moment both may pass, so send one after the other for one person.
 *
 *   Refusals are {"error":"WORD","message":"TEXT"} and write nothing:
 *     400 bad_request    user, name, action or path is missing or odd; the name lacks the prefix or has a path part; the body
 *                        begins with no JSON object, or its picture is empty, not base64 or not of a type image/…
 *     403 not_admin      the caller is no Confluence administrator (ScriptRunner's own 403, for a caller outside the
 *                        group, has no such body)
 *     404 no_user        nobody has that name
 *     409 changed        the name is that of another account than `key`, or the account shows another picture than `seen`;
 *                        then `path` holds the one it shows
 *     409 shown          the file to remove is the one that is shown
 *     413 too_large      the picture has more than 5 MiB
 *     500 failed         anything else; the transaction was rolled back
 *
 * Everything here is public API of Confluence: UserAccessor.setUserProfilePicture(User, Attachment) and (User, String),
 * AttachmentManager, PersonalInformationManager, PermissionManager.
 */
import com.atlassian.confluence.pages.Attachment
import com.atlassian.confluence.pages.AttachmentManager
import com.atlassian.confluence.security.PermissionManager
import com.atlassian.confluence.user.AuthenticatedUserThreadLocal
import com.atlassian.confluence.user.ConfluenceUser
import com.atlassian.confluence.user.PersonalInformationManager
import com.atlassian.confluence.user.UserAccessor
import com.atlassian.confluence.util.GeneralUtil
import com.atlassian.sal.api.component.ComponentLocator
import com.atlassian.sal.api.transaction.TransactionCallback
import com.atlassian.sal.api.transaction.TransactionTemplate
import com.onresolve.scriptrunner.runner.rest.common.CustomEndpointDelegate
import groovy.json.JsonBuilder
import groovy.json.JsonException
import groovy.json.JsonSlurper
import groovy.transform.BaseScript
import groovy.transform.Field

import javax.ws.rs.core.MultivaluedMap
import javax.ws.rs.core.Response

@BaseScript CustomEndpointDelegate delegate

@Field static final List<String> GROUPS = ["confluence-administrators"]
@Field static final int VERSION = 1
@Field static final String PREFIX = "avatarpipe-"
@Field static final int LARGEST = 5 * 1024 * 1024
// Under it lie the default picture and those that people choose from. Old releases have a PNG as the default.
@Field static final String STOCK = "/images/icons/profilepics/"

class Refusal extends RuntimeException {
    int status
    Map answer

    Refusal(int status, String word, String message, Map more = [:]) {
        super(message)
        this.status = status
        this.answer = [error: word, message: message] + more
    }
}

Response json(int status, Map answer) {
    Response.status(status).type("application/json;charset=UTF-8").entity(new JsonBuilder(answer).toString()).build()
}

def component(Class kind) {
    ComponentLocator.getComponent(kind)
}

ConfluenceUser caller() {
    def me = AuthenticatedUserThreadLocal.get()
    if (me == null || !component(PermissionManager).isConfluenceAdministrator(me)) {
        throw new Refusal(403, "not_admin", "Only Confluence administrators may use this endpoint.")
    }
    me
}

String wanted(MultivaluedMap query, String what) {
    def value = query.getFirst(what) as String
    if (!value?.trim()) {
        throw new Refusal(400, "bad_request", "The query parameter ${what} is missing.".toString())
    }
    value
}

ConfluenceUser person(MultivaluedMap query) {
    def name = wanted(query, "user")
    def user = component(UserAccessor).getUserByName(name)
    if (user == null) {
        throw new Refusal(404, "no_user", "Nobody has the user name ${name}.".toString())
    }
    def key = query.getFirst("key") as String
    if (key != null && key != user.key.stringValue) {
        throw new Refusal(409, "changed", "The name ${name} is another account's now.".toString())
    }
    user
}

String fileName(MultivaluedMap query) {
    def name = wanted(query, "name")
    if (!(name ==~ /avatarpipe-[A-Za-z0-9._-]{1,100}/)) {
        throw new Refusal(400, "bad_request", "The file name must begin with ${PREFIX} and hold only letters, digits, . _ -".toString())
    }
    name
}

/** The path that REST shows. Releases differ in whether host, context path and version stand around it here. */
String pathOf(ConfluenceUser user) {
    String path = component(UserAccessor).getUserProfilePicture(user)?.uriReference ?: STOCK + "default.svg"
    def begins = [STOCK, "/download/"].collect { path.indexOf(it) }.findAll { it > 0 }
    plain(begins ? path.substring(begins.min()) : path)
}

/** Without the version that may stand behind a path as a query. */
String plain(String path) {
    path.split(/\?/, 2)[0]
}

boolean isDefault(String path) {
    path.startsWith(STOCK + "default.")
}

void compare(MultivaluedMap query, ConfluenceUser user) {
    def seen = query.getFirst("seen") as String
    def now = pathOf(user)
    if (seen != null && plain(seen) != now && !(isDefault(plain(seen)) && isDefault(now))) {
        throw new Refusal(409, "changed", "The account shows another picture now.", [path: now])
    }
}

Map shown(ConfluenceUser user) {
    def picture = component(UserAccessor).getUserProfilePicture(user)
    def path = pathOf(user)
    def own = !path.startsWith(STOCK)
    [user: user.name, key: user.key.stringValue, file: own ? picture?.fileName : null, path: path,
     default: isDefault(path)]
}

byte[] picture(Map sent) {
    def text = sent.picture
    if (!(sent.type instanceof String) || !sent.type.startsWith("image/") || !(text instanceof String) || text.isEmpty()) {
        throw new Refusal(400, "bad_request", "The body must be {\"type\":\"image/…\",\"picture\":\"BASE64\"}.")
    }
    def large = new Refusal(413, "too_large", "The picture has more than ${LARGEST} bytes.".toString())
    // What is too long for certain is not decoded.
    if (text.length() > LARGEST * 4L / 3 + 4) {
        throw large
    }
    byte[] bytes
    try {
        bytes = Base64.decoder.decode(text)
    } catch (IllegalArgumentException ignored) {
        throw new Refusal(400, "bad_request", "The picture is not base64.")
    }
    if (bytes.length > LARGEST) {
        throw large
    }
    bytes
}

Map sent(String body) {
    try {
        def parsed = new JsonSlurper().parseText(body ?: "")
        if (parsed instanceof Map) {
            return parsed
        }
    } catch (JsonException | IllegalArgumentException | StackOverflowError ignored) {
        // The refusal below says it.
    }
    throw new Refusal(400, "bad_request", "The body is not a JSON object.")
}

void store(ConfluenceUser user, String name, String type, byte[] bytes) {
    AttachmentManager attachments = component(AttachmentManager)
    def information = component(PersonalInformationManager).getOrCreatePersonalInformation(user)
    Attachment former = attachments.getAttachment(information, name)
    Attachment attachment = former ?: new Attachment(name, type, bytes.length, "avatarpipe")
    Attachment previous = former == null ? null : (Attachment) former.clone()
    attachment.mediaType = type
    attachment.fileSize = bytes.length
    if (former == null) {
        information.addAttachment(attachment)
    }
    attachments.saveAttachment(attachment, previous, new ByteArrayInputStream(bytes))
    component(UserAccessor).setUserProfilePicture(user, attachment)
}

/** Runs the work in one transaction and turns every end of it into an answer. */
Response answered(Closure<Map> work) {
    try {
        json(200, component(TransactionTemplate).execute({ work() } as TransactionCallback<Map>))
    } catch (Refusal refusal) {
        json(refusal.status, refusal.answer)
    } catch (Exception fault) {
        log.error("avatarpipe endpoint", fault)
        json(500, [error: "failed", message: fault.class.simpleName + ": " + fault.message])
    }
}

avatarpipe(httpMethod: "GET", groups: GROUPS) { MultivaluedMap query, String body ->
    answered {
        def me = caller()
        [endpoint: "avatarpipe", version: VERSION, user: me.name, admin: true, prefix: PREFIX,
         confluence: GeneralUtil.versionNumber]
    }
}

avatarpipe(httpMethod: "POST", groups: GROUPS) { MultivaluedMap query, String body ->
    answered {
        caller()
        def user = person(query)
        def action = query.getFirst("action") as String
        if (action == "default") {
            def path = (query.getFirst("path") as String) ?: STOCK + "default.svg"
            if (!(path in [STOCK + "default.svg", STOCK + "default.png"])) {
                throw new Refusal(400, "bad_request", "The path is not that of a default picture.")
            }
            compare(query, user)
            component(UserAccessor).setUserProfilePicture(user, path)
            return shown(user)
        }
        if (action != null) {
            throw new Refusal(400, "bad_request", "The only action is default.")
        }
        def name = fileName(query)
        def given = sent(body)
        def bytes = picture(given)
        compare(query, user)
        store(user, name, given.type as String, bytes)
        shown(user)
    }
}

avatarpipe(httpMethod: "DELETE", groups: GROUPS) { MultivaluedMap query, String body ->
    answered {
        caller()
        def user = person(query)
        def name = fileName(query)
        AttachmentManager attachments = component(AttachmentManager)
        def information = component(PersonalInformationManager).getOrCreatePersonalInformation(user)
        Attachment attachment = attachments.getAttachment(information, name)
        if (attachment != null && shown(user).file == name) {
            throw new Refusal(409, "shown", "The file is the one that is shown.", [path: pathOf(user)])
        }
        if (attachment != null) {
            attachments.removeAttachmentFromServer(attachment)
        }
        [user: user.name, key: user.key.stringValue, file: name, removed: attachment != null]
    }
}
