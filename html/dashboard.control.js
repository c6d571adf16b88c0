'use strict';

// Changes instances: asks the gateway's /gateway/instances with the admin key.
// It knows nothing of a page: start() takes whom to tell.

const control = (function () {

const PATH = 'gateway/instances';

let told;                       // called when it is known anew who may
let asking = null;              // the AbortController of look()
let looked = false;             // with the key that is in use
let allowed = false;


function start(whom) {
    told = whom;
}


// Another key may open other things.
function forget() {
    if (asking) {
        asking.abort();
        asking = null;
    }

    looked = allowed = false;
}


// /status answered: does the key that opened it open this as well?
async function look() {
    if (looked || !gateway.locked) {
        return;
    }

    const mine = asking = new AbortController();

    looked = true;

    const result = await ask('', {}, mine);

    if (asking === mine) {
        asking = null;
        allowed = result.good;
        told();
    }
}


// Whether a key opens it: "", or why not.
async function unlock(key) {
    const result = await ask('', { key }, new AbortController());

    return result.good ? '' : result.code;
}


// What came of it: { good }, or { code, details } of a refusal; "gone" when
// nobody answers, "odd" when the answer makes no sense.

async function ask(query, change, controller) {
    let answer;

    try {
        answer = await gateway.ask(PATH + query, controller, change);
    } catch (e) {
        return { code: 'gone', details: '' };
    }

    if (answer.status === 204) {
        return { good: true };
    }

    try {
        const got = JSON.parse(answer.body);

        if (answer.ok && (Array.isArray(got.instances) || got.url)) {
            return { good: true };
        }
        if (!answer.ok && typeof got.code === 'string') {
            return { code: got.code, details: [got.member, got.details]
                .filter((s) => typeof s === 'string').join(': ') };
        }
    } catch (e) {
        // none of its own
    }

    return { code: 'odd', details: String(answer.status) };
}


const to = (name) => `?name=${encodeURIComponent(name)}`;

const add = (body) => ask('', { method: 'POST', body }, new AbortController());

const change = (name, body) => ask(to(name), { method: 'PATCH', body },
                                   new AbortController());

const remove = (name) => ask(to(name), { method: 'DELETE' },
                             new AbortController());


return {
    start, forget, look, unlock, add, change, remove,

    get allowed() { return allowed; },
};

})();
