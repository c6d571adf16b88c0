'use strict';

// The dialogs of one session: its QR code until it is logged in, and a test
// message, which is asked for twice and sent once.

const loginView = (function () {

const { $, fill, setText } = parts;

// what is said of an error; else its own words
const CODES = {
    gone: 'loginGone', odd: 'loginAbsent', unauthorized: 'saysKey',
    unknown_session: 'loginLost', login_unsupported: 'loginUnsupported',
    not_asked: 'loginAgain',
    session_ready: 'loginReady', bad_gateway: 'loginFailed',
};

const SEND_CODES = {
    gone: 'trialUnknown', odd: 'trialUnknown', unauthorized: 'saysKey',
    unknown_session: 'loginLost', session_down: 'trialDown',
    no_session: 'trialDown', bad_request: 'trialMember', paced: 'trialPaced',
    rejected: 'trialRejected', unconfirmed: 'trialUnknown',
    bad_gateway: 'trialUnknown', timeout: 'trialUnknown',
    in_flight: 'trialUnknown', store_down: 'trialStore',
    store_full: 'trialStore',
};

let text;
let session;                    // of the dialog that is open
let back;                       // called when the focus would be lost
let drawn = 0;                  // images so far: the last one counts
let key = '';                   // of the message as it stands


function start() {
    $('login-start').addEventListener('click', begin);
    $('login').addEventListener('close', () => {
        logins.stop();
        clear();
    });

    $('trial-form').addEventListener('submit', (e) => {
        e.preventDefault();
        confirm(true);
        $('trial-no').focus();
    });

    for (const id of ['trial-to', 'trial-text']) {
        $(id).addEventListener('input', renew);
    }

    $('trial-yes').addEventListener('click', send);
    $('trial-no').addEventListener('click', () => {
        confirm(false);
        $('trial-send').focus();
    });

    for (const id of ['login', 'trial']) {
        $(`${id}-close`).addEventListener('click', () => $(id).close());

        // the button that opened it may be gone by now
        $(id).addEventListener('close', () => {
            const held = document.activeElement;

            if (held === document.body || $(id).contains(held)) {
                back();
            }
        });
    }
}


function speak() {
    text = parts.text;
    confirm(!$('trial-sure').hidden);
    say('login', '');
    say('trial', '');
}


// ---- the code

function open(s, whereTo) {
    session = s;
    back = whereTo;
    setText($('login-name'), s.name);
    setText($('login-instance'), s.instance);
    clear();
    $('login').showModal();
    watch(false);
}


function watch(any) {
    say('login', text[session.state === 'down' && !any ? 'loginStopped'
                                                       : 'loginWait']);
    $('login-actions').hidden = session.state !== 'down' || any;
    logins.watch(session, any, told);
}


function clear() {
    drawn++;

    for (const id of ['image', 'help', 'typed']) {
        $(`login-${id}`).hidden = true;
    }
}


function told(answer) {
    if (!answer.good) {
        clear();
        say('login', words(CODES, answer), answer.code !== 'not_asked');
        return;
    }

    if (answer.state === 'ready') {
        clear();
        $('login-actions').hidden = true;
        say('login', text.loginReady);
        return;
    }

    if (!answer.fresh) {
        return;
    }

    $('login-actions').hidden = true;

    if (!answer.image && !answer.typed) {
        clear();
        say('login', text.loginWait);
        return;
    }

    setText($('login-code'), answer.typed);
    $('login-typed').hidden = !answer.typed;
    say('login', text.loginShown);

    if (answer.image) {
        draw(answer.image);
    }
}


// On a canvas: the page may show no image but its own.
async function draw(image) {
    const mine = ++drawn;
    const canvas = $('login-image');
    let bitmap;

    try {
        bitmap = await createImageBitmap(image);
    } catch (e) {
        if (mine === drawn) {
            clear();
            say('login', text.loginWait);
        }
        return;
    }

    if (mine === drawn) {
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
        canvas.getContext('2d').drawImage(bitmap, 0, 0);
        canvas.hidden = $('login-help').hidden = false;
    }

    bitmap.close();
}


async function begin() {
    const mine = session;

    logins.stop();
    $('login-start').disabled = true;

    const result = await logins.begin(mine);

    $('login-start').disabled = false;

    if (session !== mine || !$('login').open) {
        return;
    }

    if (!result.good && result.code !== 'session_ready') {
        say('login', words(CODES, result), true);
        $('login-start').focus();
        return;
    }

    watch(true);
    say('login', text.loginStarted);
    $('login-close').focus();
}


// ---- a message

function openTrial(s, whereTo) {
    session = s;
    back = whereTo;
    setText($('trial-name'), s.name);
    setText($('trial-instance'), s.instance);
    $('trial-text').value = text.trialWords;
    renew();
    $('trial').showModal();
    $('trial-to').focus();
}


// Another message has another key, and can be sent.
function renew() {
    key = logins.newKey();
    $('trial-send').disabled = false;
    confirm(false);
    say('trial', '');
}


function confirm(is) {
    $('trial-sure').hidden = !is;
    setText($('trial-question'), is ? fill(text.trialSure,
        { to: $('trial-to').value.trim() }) : '');
}


// Pressed again after no answer, it has the same key.
async function send() {
    const mine = key;

    confirm(false);
    busy(true);

    const result = await logins.send(session, $('trial-to').value.trim(),
                                    $('trial-text').value, mine);

    busy(false);

    if (mine !== key) {
        return;
    }

    if (result.good) {
        $('trial-send').disabled = true;
        say('trial', fill(text.trialDone, { id: result.id }));
        $('trial-to').focus();
        return;
    }

    say('trial', words(SEND_CODES, result), true);
    $('trial-send').focus();
}


function busy(is) {
    for (const id of ['to', 'text', 'send']) {
        $(`trial-${id}`).disabled = is;
    }
}


// ---- what comes of it

function words(codes, { code, details }) {
    return code in codes
        ? fill(text[codes[code]], { what: parts.explain(details) || details })
        : details || code;
}


function say(id, what, bad = false) {
    setText($(`${id}-says`), what);
    $(`${id}-says`).classList.toggle('bad', bad);
}


return { start, speak, open, openTrial };

})();
