'use strict';

// What is known of the gateway: asks its /status every two seconds, keeps the
// answers of five minutes and counts with them.  It knows nothing of a page:
// start() takes whom to tell.

const gateway = (function () {

const POLL = 2000;              // ms
const SLOWEST = 30000;          // ms, between tries while nobody answers
const TIMEOUT = 15000;          // ms, for one answer
const SAMPLES = 151;            // five minutes of them
const WINDOW = 300;             // s
const NARROWEST = 60;           // s, of a chart while there is no more
const RECENT = 10;              // s, for the rate that is shown
const STATES = ['down', 'checking', 'slow_start', 'draining', 'up'];

const ORDERS = {
    byProblem: (a, b) => rank(a) - rank(b) || ill(b) - ill(a),
    byOrder: () => 0,
    byRate: (a, b) => high(a.rate, b.rate),
    byErrors: (a, b) => high(a.errors, b.errors),
    byLatency: (a, b) => high(a.d.latency.p95, b.d.latency.p95),
};

let told;                       // answered(), failed(), refused(again)
let key = '';
let timer = 0;
let request = null;             // the AbortController of the one on its way
let fails = 0;
let next = 0;                   // when the next try is, by performance.now()
let mode = 'wait';              // wait, on, gone, odd, key
let odd = '';                   // what was wrong with the answer
let status = null;              // the last good one
let totals = null;              // what was counted of it
let when = null;                // and when it came

let slot = -1;                  // of the last sample
let samples = 0;
const times = new Float64Array(SAMPLES);        // s, of the gateway's uptime
const all = {                                   // requests since the first one
    total: new Float64Array(SAMPLES),
    bad: new Float64Array(SAMPLES),
};
const instances = new Map();                    // by name


// ---- asking

function start(whom, secret) {
    told = whom;
    use(secret);
}


function use(secret) {
    key = secret;
    poll();
}


function retry() {
    next = 0;
    poll();
}


// Nothing is asked while nobody looks.
function look() {
    clearTimeout(timer);

    if (!document.hidden && mode !== 'key') {
        poll();
    }
}


function schedule(ms) {
    clearTimeout(timer);
    next = performance.now() + ms;
    timer = document.hidden ? 0 : setTimeout(poll, ms);
}


// A header takes bytes: the key's UTF-8.
function bytes(s) {
    return Array.from(new TextEncoder().encode(s),
                      (b) => String.fromCharCode(b)).join('');
}


// What a path beside the page answers; it throws when that takes too long.  A
// change is a method, a body, another key, other headers and a longer time, as
// far as it has them.

async function ask(path, stop, change = {}) {
    const late = setTimeout(() => stop.abort(), change.timeout || TIMEOUT);
    const secret = change.key || key;
    const headers = { ...change.headers,
                      ...(secret ? { 'X-Api-Key': bytes(secret) } : {}) };

    if (change.body) {
        headers['Content-Type'] = 'application/json';
    }

    try {
        const answer = await fetch(path, { headers, cache: 'no-store',
            method: change.method || 'GET',
            body: change.body ? JSON.stringify(change.body) : undefined,
            credentials: 'same-origin', signal: stop.signal });

        return { status: answer.status, ok: answer.ok,
                 body: await answer.text() };

    } finally {
        clearTimeout(late);
    }
}


async function poll() {
    if (request) {
        return;
    }

    clearTimeout(timer);
    request = new AbortController();

    const began = performance.now();
    let good = false;

    try {
        const answer = await ask('status', request);

        if (answer.status === 401) {
            refused();
            return;
        }

        if (!answer.ok) {
            failed('odd', String(answer.status));
            return;
        }

        try {
            take(JSON.parse(answer.body));
        } catch (e) {
            failed('odd', 'JSON');
            return;
        }

        fails = 0;
        mode = 'on';

        // a gateway with thousands of instances is not kept busy with this
        schedule(Math.max(POLL, 4 * (performance.now() - began)));
        good = true;

    } catch (e) {
        failed('gone', '');

    } finally {
        request = null;
    }

    if (good) {
        told.answered();
    }
}


function failed(how, what) {
    mode = how;
    odd = what;
    schedule(Math.min(SLOWEST, POLL * Math.pow(2, fails++)));
    told.failed();
}


function refused() {
    const again = mode === 'key' || key !== '';

    mode = 'key';
    fails = 0;
    key = '';
    told.refused(again);
}


// ---- what came

function take(got) {
    const uptime = got.gateway.uptime;
    const events = got.events;
    const now = Date.parse(got.gateway.timestamp);
    const details = Object.entries(got.instances.details);

    if (!Array.isArray(events) || !(now > 0)) {
        throw new TypeError('status');
    }

    // a gateway that was started anew counts from nought

    if (slot < 0 || uptime < times[slot]) {
        samples = 0;
        instances.clear();
    }

    const last = slot;

    slot = (slot + 1) % SAMPLES;
    samples = Math.min(samples + 1, SAMPLES);
    times[slot] = uptime;

    for (const [name, d] of details) {
        let i = instances.get(name);

        if (!i) {
            i = { name, total: new Float64Array(SAMPLES).fill(NaN),
                  bad: new Float64Array(SAMPLES).fill(NaN),
                  due: new Float64Array(SAMPLES).fill(NaN) };
            instances.set(name, i);
        }

        i.total[slot] = d.requests.total;
        i.bad[slot] = d.requests.failed + d.requests['5xx'];
        i.d = d;
        i.seen = slot;
    }

    let order = 0, flight = 0, total = 0, weight = 0;
    let more = 0, worse = 0;

    for (const [name] of details) {
        instances.get(name).order = order++;
    }

    const recent = Math.max(back(RECENT), Math.min(1, samples - 1));
    const whole = back(WINDOW);

    for (const [name, i] of instances) {
        if (i.seen !== slot) {
            instances.delete(name);
            continue;
        }

        const first = oldest(i, whole);

        i.first = first;
        i.rate = rate(i, oldest(i, recent));
        i.asked = i.total[slot] - i.total[first];
        i.wrong = i.bad[slot] - i.bad[first];
        i.errors = i.asked > 0 ? Math.min(1, i.wrong / i.asked) : null;
        flight += i.d.requests.inFlight;
        total += i.d.requests.total;
        weight += i.d.healthy ? i.d.weight : 0;

        if (i.total[slot] >= i.total[last]) {
            more += i.total[slot] - i.total[last];
            worse += i.bad[slot] - i.bad[last];
        }
    }

    // what each would have had, by the weights of those that were up then

    for (const i of instances.values()) {
        const part = i.d.healthy && weight > 0 ? i.d.weight / weight : 0;
        i.due[slot] = (samples > 1 && i.due[last] || 0) + more * part;
    }

    all.total[slot] = samples > 1 ? all.total[last] + more : 0;
    all.bad[slot] = samples > 1 ? all.bad[last] + worse : 0;

    const sum = (what) =>
        [...instances.values()].reduce((n, i) => n + (what(i) || 0), 0);
    const asked = sum((i) => i.asked);

    status = got;
    totals = { now, flight, total, asked,
               rate: samples > 1 ? sum((i) => i.rate) : null,
               errors: asked > 0 ? Math.min(1, sum((i) => i.wrong) / asked) : null };
    when = new Date();
}


// How many samples back the oldest one of the last seconds is.
function back(seconds) {
    let n = 0;

    while (n + 1 < samples
           && times[slot] - times[(slot - n - 1 + SAMPLES) % SAMPLES] <= seconds + 1)
    {
        n++;
    }

    return n;
}


// The slot so many samples back, or of the first one that this instance has.
function oldest(i, n) {
    while (n > 0 && !(i.total[(slot - n + SAMPLES) % SAMPLES] <= i.total[slot])) {
        n--;
    }

    return (slot - n + SAMPLES) % SAMPLES;
}


function rate(i, from) {
    const passed = times[slot] - times[from];
    return passed > 0 ? (i.total[slot] - i.total[from]) / passed : null;
}


// The samples of an instance, or of all, as [s ago, per second, failed per
// second], the oldest first.
function series({ total, bad }) {
    const points = [];

    for (let n = samples - 1; n > 0; n--) {
        const a = (slot - n + SAMPLES) % SAMPLES;
        const b = (a + 1) % SAMPLES;
        const passed = times[b] - times[a];
        const age = times[slot] - times[b];

        if (passed > 0 && age <= WINDOW && total[b] >= total[a]) {
            points.push([age, (total[b] - total[a]) / passed,
                         (bad[b] - bad[a]) / passed]);
        }
    }

    return points;
}


// How many seconds a chart of them goes back.
function reach() {
    const past = times[slot] - times[(slot - samples + 1 + SAMPLES) % SAMPLES];
    return Math.min(WINDOW, Math.max(NARROWEST, past));
}


// ---- comparing

// One that is up and cannot send comes after those that are down.
function rank(i) {
    return i.d.state === 'up' && !i.d.healthy ? 0.5 : STATES.indexOf(i.d.state);
}


function ill(i) {
    return i.errors > 0.01 ? i.errors : 0;
}


function high(x, y) {
    return (y === null ? -1 : y) - (x === null ? -1 : x);
}


function inOrder(list, by) {
    return list.sort((a, b) => ORDERS[by](a, b) || a.order - b.order);
}


function counts() {
    const n = {};

    for (const i of instances.values()) {
        n[i.d.state] = (n[i.d.state] || 0) + 1;
    }

    return n;
}


// What each had of all requests and what it would have had by its weight: at
// most so many, those that are furthest from it.

function shares(most) {
    const recent = totals.asked;
    const amount = (i) => recent > 0 ? i.asked : i.d.requests.total;
    const sum = recent > 0 ? recent : totals.total;
    let list = [...instances.values()].map((i) => ({ i,
        share: sum > 0 ? amount(i) / sum : 0,
        fair: recent > 0 ? (i.due[slot] - i.due[i.first]) / recent : 0 }));

    if (list.length > most) {
        list.sort((a, b) => Math.abs(b.share - b.fair) - Math.abs(a.share - a.fair)
                            || a.i.order - b.i.order);
        list = list.slice(0, most);
    }

    return list.sort((a, b) => a.i.order - b.i.order);
}


return {
    POLL, STATES, SORTS: Object.keys(ORDERS), all,
    start, use, ask, retry, look, series, reach, inOrder, counts, shares,

    get locked() { return key !== ''; },
    get mode() { return mode; },
    get odd() { return odd; },
    get status() { return status; },
    get totals() { return totals; },
    get when() { return when; },
    get left() { return next - performance.now(); },        // ms
    get list() { return [...instances.values()]; },
    get(name) { return instances.get(name); },
};

})();
