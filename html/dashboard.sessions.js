'use strict';

// What is known of the sessions: asks the gateway's /sessions, page by page,
// when its /status says that something moved; searches and groups them.  It
// knows nothing of a page: start() takes whom to tell.

const sessions = (function () {

const PAGE = 1000;              // sessions, of one answer
const GAP = 1000;               // ms for each page, before they are asked again
const FRESH = 30000;            // ms, as long as nothing moved
const SLOWEST = 30000;          // ms, between tries while there is no answer
const STATES = ['down', 'login', 'starting', 'ready'];

// what shows nothing and only turns the order of letters around
const MARKS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

let told;                       // called when something is known anew
let reading = null;             // the AbortController of what is on its way
let mode = 'none';              // none, on, odd
let odd = '';                   // what was wrong with the answer
let absent = false;             // this gateway has no /sessions
let list = null;                // all of them, as the gateway sorts them
let totals = null;
let seen = '';                  // what /status said when they were asked
let read = 0;                   // when that was, by performance.now()
let next = 0;                   // and when they may be asked again
let fails = 0;
let uptime = 0;
let generation = -1;
let latest = {};                // what find() was asked last, and its answer


// ---- asking

function start(whom) {
    told = whom;
}


// Another key may see others.
function forget() {
    if (reading) {
        reading.abort();
        reading = null;
    }

    mode = 'none';
    absent = false;
    list = totals = null;
    seen = '';
    read = next = fails = 0;
}


// /status answered: is it time to ask?
function hear() {
    const { gateway: g, sessions: counts, events } = gateway.status;

    if (g.uptime < uptime || g.generation !== generation) {
        absent = false;
    }

    uptime = g.uptime;
    generation = g.generation;

    // an upstream without a vendor has none: its /sessions is an instance's

    if (!counts || !(counts.total >= 0)) {
        if (mode !== 'none' || reading) {
            forget();
            told();
        }
        return;
    }

    const last = events[events.length - 1] || {};
    const mark = JSON.stringify([counts.total, counts.ready, generation,
                                 last.time, last.instance, last.session, last.to]);
    const now = performance.now();

    if (reading || absent || now < next
        || (mark === seen && !fails && now - read < FRESH))
    {
        return;
    }

    ask(mark);
}


async function ask(mark) {
    const mine = reading = new AbortController();
    const began = performance.now();
    const found = new Map();
    let offset = 0, total = 0, size = 0, pages = 0;

    try {
        do {
            const answer = await gateway.ask(
                `sessions?limit=${PAGE}&offset=${offset}`, mine);

            if (reading !== mine) {
                return;
            }

            if (answer.status === 404) {
                forget();
                absent = true;
                told();
                return;
            }

            if (!answer.ok) {
                failed(String(answer.status));
                return;
            }

            // one that moves up meanwhile comes twice

            try {
                const got = JSON.parse(answer.body);

                size = got.sessions.length;
                total = got.total;
                got.sessions.map(entry).forEach((s) => found.set(s.key, s));
            } catch (e) {
                failed('JSON');
                return;
            }

            offset += size;
            pages++;

        } while (size > 0 && offset < total);

    } catch (e) {
        if (reading === mine) {
            failed('–');
        }
        return;
    }

    reading = null;
    seen = mark;
    read = began;
    fails = 0;
    next = performance.now()
           + Math.max(GAP * pages, 4 * (performance.now() - began));

    mode = 'on';
    list = [...found.values()];
    totals = { total: list.length,
               ready: list.filter((s) => s.state === 'ready').length };
    told();
}


function failed(what) {
    reading = null;
    mode = 'odd';
    odd = what;
    next = performance.now() + Math.min(SLOWEST, 2000 * Math.pow(2, fails++));
    told();
}


// ---- what came

function words(...values) {
    if (!values.every((v) => typeof v === 'string')) {
        throw new TypeError('sessions');
    }
    return values;
}


function entry(s) {
    const [name, instance, state] = words(s.session, s.instance, s.state);
    const number = s.number || '';
    const vendorState = s.vendorState || '';
    const reason = s.reason || '';

    words(number, vendorState, reason);

    return { key: `${instance}\n${name}`, name, number, instance, state,
             vendorState, reason, since: s.since, pace: s.pace || null,
             letters: fold([name, number, instance, state, vendorState].join('\n')) };
}


// ---- searching

function fold(s) {
    return s.toLowerCase().replace(MARKS, '')
            .replace(/[٠-٩]/g, (d) => d.charCodeAt(0) - 0x660);
}


// A test of a session for what a user typed: each word is somewhere in it, or
// all of it is a number, as people write them.

function matcher(query, names) {
    const terms = fold(query).split(/\s+/).filter(Boolean);
    const digits = fold(query).replace(/[\s()+-]/g, '').replace(/^00/, '');
    const known = Object.entries(names).map(([k, v]) => [k, fold(v)]);

    const tests = terms.map((t) => {
        const states = known.filter(([, v]) => v.includes(t)).map(([k]) => k);
        return (s) => s.letters.includes(t) || states.includes(s.state);
    });

    return (s) => tests.every((t) => t(s))
                  || (/^\d+$/.test(digits) && s.number.includes(digits));
}


// Those that match, in groups: by "instance" in the order of the gateway, by
// "number" in the order of the digits, with those that have none at the end.
// The counts are of all states, whichever is wanted; names has their words.

function find(by, query, state, names) {
    const was = latest;

    if (was.list === list && was.by === by && was.query === query
        && was.state === state && was.names === names)
    {
        return was.answer;
    }

    const matches = matcher(query, names);
    const groups = new Map();
    const counts = {};
    let total = 0, ready = 0;

    for (const s of list || []) {
        if (!matches(s)) {
            continue;
        }

        counts[s.state] = (counts[s.state] || 0) + 1;

        if (state && s.state !== state) {
            continue;
        }

        let g = groups.get(s[by]);

        if (!g) {
            g = { key: s[by], list: [], total: 0, ready: 0 };
            groups.set(g.key, g);
        }

        g.list.push(s);
        g.total++;
        total++;

        if (s.state === 'ready') {
            g.ready++;
            ready++;
        }
    }

    const all = [...groups.values()];

    if (by === 'number') {
        all.sort((a, b) => (a.key === '') - (b.key === '')
                           || (a.key < b.key ? -1 : 1));
    }

    const answer = { total, ready, counts, groups: all };

    latest = { list, by, query, state, names, answer };
    return answer;
}


return {
    STATES, start, hear, forget, find,

    get shown() { return mode !== 'none'; },
    get mode() { return mode; },
    get odd() { return odd; },
    get totals() { return totals; },
};

})();
