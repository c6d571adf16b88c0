'use strict';

// Logs sessions in and sends test messages: asks the gateway's /gateway/login,
// with the admin key, and its /send-message.  It knows nothing of a page:
// watch() takes whom to tell.

const logins = (function () {

const PATH = 'gateway/login';
const SEND = 'send-message';
const GAP = 2000;               // ms, between questions for a state
const FAILED = 5000;            // ms, until a code is asked for after an error
const PATIENCE = 100000;        // ms: a server may start a browser, or wait
const IMAGE = /^data:(image\/(?:png|jpeg));base64,([A-Za-z0-9+/]+={0,2})$/;

let watching = null;            // the AbortController of watch()


// Asks for the code of a session until it is ready, and tells each answer:
// { good, state, code, image, fresh }, or { code, details } of an error.  One
// that is down gives no code: "any" asks for it nevertheless.

async function watch(session, any, told) {
    stop();

    const mine = watching = new AbortController();
    let state = session.state;
    let due = 0;

    for (;;) {
        const fresh = (any || state !== 'down') && performance.now() >= due;
        const result = await ask(session, fresh ? '' : '&code=off',
                                 { timeout: PATIENCE }, mine);

        if (watching !== mine) {
            return;
        }

        if (result.good) {
            state = result.state;
        }

        if (fresh) {
            due = performance.now() + (!result.good ? FAILED
                  : result.image || result.typed ? result.refresh : 0);
        }

        told({ ...result, fresh });

        if (state === 'ready' && result.good) {
            stop();
            return;
        }

        await new Promise((go) => { setTimeout(go, GAP); });

        if (watching !== mine) {
            return;
        }
    }
}


function stop() {
    if (watching) {
        watching.abort();
        watching = null;
    }
}


const begin = (session) => ask(session, '', { method: 'POST', body: {},
                                              timeout: PATIENCE },
                               new AbortController());


async function ask({ name, instance }, more, change, controller) {
    return read(await answered(
        `${PATH}?session=${encodeURIComponent(name)}`
        + `&instance=${encodeURIComponent(instance)}${more}`, change, controller),
    (got) => typeof got.state === 'string' && {
        good: true, state: got.state, image: picture(got.image),
        typed: typeof got.code === 'string' ? got.code : '',
        refresh: got.refresh >= GAP ? got.refresh : GAP });
}


// The bytes of an image, and no other URL.
function picture(url) {
    const found = typeof url === 'string' && IMAGE.exec(url);

    return found ? new Blob([Uint8Array.from(atob(found[2]),
                                             (c) => c.charCodeAt(0))],
                            { type: found[1] }) : null;
}


// A message: { good, id }, or an error.  With the same key it is sent once.
async function send({ name, instance }, to, message, key) {
    return read(await answered(SEND, {
        method: 'POST', timeout: PATIENCE,
        headers: { 'Idempotency-Key': `"${key}"`, 'X-WA-Instance': instance },
        body: { chatId: to, message, session: name } }, new AbortController()),
    (got) => got.success === true && typeof got.messageId === 'string'
             && { good: true, id: got.messageId });
}


function newKey() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)),
                      (b) => b.toString(16).padStart(2, '0')).join('');
}


async function answered(path, change, controller) {
    try {
        return await gateway.ask(path, controller, change);
    } catch (e) {
        return null;
    }
}


// "gone" when nobody answers, "odd" when the answer makes no sense.
function read(answer, good) {
    if (!answer) {
        return { code: 'gone', details: '' };
    }

    try {
        const got = JSON.parse(answer.body);
        const result = answer.ok && good(got);

        if (result) {
            return result;
        }
        if (!answer.ok && typeof got.code === 'string') {
            const details = got.code === 'bad_request' && got.member
                            || got.details || got.error;

            return { code: got.code,
                     details: typeof details === 'string' ? details : got.code };
        }
    } catch (e) {
        // none of its own
    }

    return { code: 'odd', details: String(answer.status) };
}


return { watch, stop, begin, send, newKey };

})();
