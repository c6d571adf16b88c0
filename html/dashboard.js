'use strict';

// The dashboard: asks /status every two seconds and shows it.  Whatever comes
// from instances (names, reasons) is put into the page as text, never markup.

(function () {

const POLL = 2000;              // ms
const SLOWEST = 30000;          // ms, between tries while nobody answers
const TIMEOUT = 15000;          // ms, for one answer
const SAMPLES = 151;            // five minutes of them
const WINDOW = 300;             // s
const NARROWEST = 60;           // s, of a chart while there is no more
const RECENT = 10;              // s, for the rate that is shown
const ROWS = 50;                // of the table at a time
const BARS = 20;
const EVENTS = 8;
const STATES = ['down', 'checking', 'slow_start', 'draining', 'up'];
const SORTS = ['byProblem', 'byOrder', 'byRate', 'byErrors', 'byLatency'];
const SVG = 'http://www.w3.org/2000/svg';

// in a square of 20: a shape for each state, so that color is never alone

const ICONS = {
    up: [['circle', { cx: 10, cy: 10, r: 9, fill: 'currentColor' }],
         ['path', { d: 'M5.5 10.5l3 3 6-6.5', class: 'cut' }]],
    down: [['path', { d: 'M6.2 1h7.6L19 6.2v7.6L13.8 19H6.2L1 13.8V6.2z', fill: 'currentColor' }],
           ['path', { d: 'M6.7 6.7l6.6 6.6M13.3 6.7l-6.6 6.6', class: 'cut' }]],
    slow_start: [['path', { d: 'M2 18h3.5v-5H2zM8.2 18h3.6V8H8.2zM14.5 18H18V2h-3.5z', fill: 'currentColor' }]],
    checking: [['circle', { cx: 8.5, cy: 8.5, r: 6, class: 'line' }],
               ['path', { d: 'M13 13l5 5', class: 'line' }]],
    draining: [['path', { d: 'M10 1.5v11M5 8.5l5 5 5-5M2.5 18h15', class: 'line' }]],
    warn: [['path', { d: 'M10 1l9.5 17.5H.5z', fill: 'currentColor' }],
           ['path', { d: 'M10 7.5v5M10 15v.6', class: 'cut' }]],
    gone: [['path', { d: 'M6.5 13.5a4 4 0 0 1 0-7M13.5 6.5a4 4 0 0 1 0 7M3 18L17 2', class: 'line' }]],
    key: [['circle', { cx: 6.5, cy: 13.5, r: 4.5, class: 'line' }],
          ['path', { d: 'M10 10l8-8M14 6l3 3', class: 'line' }]],
    dot: [['circle', { cx: 10, cy: 10, r: 5, fill: 'currentColor' }]],
    arrow: [['path', { d: 'M2 10h15M11.5 4.5L17 10l-5.5 5.5', class: 'line' }]],
};

const $ = (id) => document.getElementById(id);

let lang = recall('localStorage', 'wa_gateway.lang') === 'en' ? 'en' : 'ar';
let text, number, share, sliver, clock, moment, ago;

let key = recall('sessionStorage', 'wa_gateway.key');
let timer = 0;
let request = null;             // the AbortController of the one on its way
let fails = 0;
let next = 0;                   // when the next try is, by performance.now()
let mode = 'wait';              // wait, on, gone, odd, key
let odd = '';                   // what was wrong with the answer
let status = null;              // the last good one
let when = null;                // and when it came

let slot = -1;                  // of the last sample
let samples = 0;
const times = new Float64Array(SAMPLES);        // s, of the gateway's uptime
const asked = new Float64Array(SAMPLES);        // of all, since the first one
const wrong = new Float64Array(SAMPLES);
const instances = new Map();                    // by name
const rows = new Map();                         // those in the page, by name
const bars = new Map();
let page = 0;
let allEvents = false;
let lastEvent = null;


// ---- storage, which may be forbidden

function recall(where, name) {
    try {
        return window[where].getItem(name) || '';
    } catch (e) {
        return '';
    }
}


function remember(where, name, value) {
    try {
        if (value) {
            window[where].setItem(name, value);
        } else {
            window[where].removeItem(name);
        }
    } catch (e) {
        // then it lasts as long as the page
    }
}


// ---- asking

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


async function poll() {
    if (request) {
        return;
    }

    clearTimeout(timer);
    request = new AbortController();

    const began = performance.now();
    const late = setTimeout(() => request.abort(), TIMEOUT);
    const headers = key ? { 'X-Api-Key': bytes(key) } : {};
    let good = false;

    try {
        const answer = await fetch('status', { headers, cache: 'no-store',
            credentials: 'same-origin', signal: request.signal });

        if (answer.status === 401) {
            refused();
            return;
        }

        if (!answer.ok) {
            failed('odd', String(answer.status));
            return;
        }

        const body = await answer.text();

        try {
            take(JSON.parse(body));
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
        clearTimeout(late);
        request = null;
    }

    if (good) {
        draw();
    }
}


function failed(how, what) {
    mode = how;
    odd = what;
    schedule(Math.min(SLOWEST, POLL * Math.pow(2, fails++)));
    drawMode();
}


function refused() {
    const again = mode === 'key' || key !== '';

    mode = 'key';
    fails = 0;
    key = '';
    remember('sessionStorage', 'wa_gateway.key', '');
    drawMode();
    setText($('key-text'), text[again ? 'keyWrong' : 'keyText']);
    $('key').setAttribute('aria-invalid', String(again));
    $('key').value = '';
    $('key').focus();
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

    asked[slot] = samples > 1 ? asked[last] + more : 0;
    wrong[slot] = samples > 1 ? wrong[last] + worse : 0;

    status = got;
    status.now = now;
    status.flight = flight;
    status.total = total;
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


// The samples as [s ago, per second, failed per second], the oldest first.
function series(total, bad) {
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


// ---- the page in a language

function speak() {
    const locale = lang === 'ar' ? 'ar-u-nu-latn' : 'en-GB';
    const root = document.documentElement;

    text = TEXTS[lang];
    root.lang = lang;
    root.dir = lang === 'ar' ? 'rtl' : 'ltr';

    number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
    share = new Intl.NumberFormat(locale, { style: 'percent',
                                            maximumFractionDigits: 1 });
    sliver = new Intl.NumberFormat(locale, { style: 'percent',
                                             maximumSignificantDigits: 2 });
    clock = new Intl.DateTimeFormat(locale, { hour: '2-digit',
        minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
    moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium',
        timeStyle: 'medium', hourCycle: 'h23' });
    ago = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });

    for (const e of document.querySelectorAll('[data-t]')) {
        setText(e, text[e.dataset.t]);
    }
    for (const e of document.querySelectorAll('[data-t-placeholder]')) {
        e.placeholder = text[e.dataset.tPlaceholder];
    }
    for (const e of document.querySelectorAll('[data-t-label]')) {
        e.setAttribute('aria-label', text[e.dataset.tLabel]);
    }

    setText($('lang'), text.other);
    $('lang').lang = lang === 'ar' ? 'en' : 'ar';

    options($('filter'), ['any', ...STATES]);
    options($('sort'), SORTS);

    rows.clear();
    $('rows').replaceChildren();
    bars.clear();
    $('shares').replaceChildren();
    $('states').replaceChildren();
    $('events').replaceChildren();
    draw();
}


function fill(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (all, name) => values[name]);
}


function options(select, keys) {
    const value = select.value || keys[0];

    select.replaceChildren(...keys.map((k) => {
        const o = element('option', '', text[k]);
        o.value = k;
        return o;
    }));
    select.value = value;
}


// One of thousands has less than a tenth of a percent.
function portion(part) {
    return (part > 0 && part < 0.01 ? sliver : share).format(part);
}


function span(ms) {
    const s = Math.max(0, Math.round(ms / 1000));

    return s < 90 ? [s, 'second'] : s < 5400 ? [Math.round(s / 60), 'minute']
         : s < 129600 ? [Math.round(s / 3600), 'hour']
         : [Math.round(s / 86400), 'day'];
}


function duration(ms) {
    const [n, unit] = span(ms);

    return new Intl.NumberFormat(lang === 'ar' ? 'ar-u-nu-latn' : 'en-GB',
        { style: 'unit', unit, unitDisplay: 'long' }).format(n);
}


function howLongAgo(time) {
    const [n, unit] = span(status.now - time);
    return ago.format(-n, unit);
}


function explain(reason) {
    const found = reason && text.reasons.find(([re]) => re.test(reason));
    return found ? found[1] : '';
}


// ---- bricks

function element(name, cls, content) {
    const e = document.createElement(name);

    if (cls) {
        e.className = cls;
    }
    if (content !== undefined) {
        e.textContent = content;
    }
    return e;
}


function shape(name, attributes) {
    const e = document.createElementNS(SVG, name);

    for (const [k, v] of Object.entries(attributes)) {
        e.setAttribute(k, v);
    }
    return e;
}


function icon(name) {
    const svg = shape('svg', { viewBox: '0 0 20 20', 'aria-hidden': 'true',
                               focusable: 'false' });

    svg.append(...ICONS[name].map(([n, a]) => shape(n, a)));
    return svg;
}


// Text nodes are left alone when nothing changed: a selection stays, and a
// screen reader has nothing to say.

function setText(e, value) {
    if (e.textContent !== value) {
        e.textContent = value;
    }
}


function setIcon(e, name) {
    if (e.dataset.icon !== name) {
        e.dataset.icon = name;
        e.replaceChildren(icon(name));
    }
}


function chip(state) {
    const e = element('span', 'chip');

    setChip(e, state);
    return e;
}


function setChip(e, state) {
    if (e.dataset.state !== state) {
        const known = STATES.includes(state);

        e.dataset.state = state;
        e.replaceChildren(element('span', 'icon'),
                          element('span', '', known ? text[state] : state));
        e.firstChild.append(icon(known ? state : 'warn'));
    }
}


function setTime(e, stamp) {
    const time = Date.parse(stamp);

    if (!(time > 0)) {
        setText(e, '–');
        return;
    }
    if (e.dateTime !== stamp) {
        e.dateTime = stamp;
        e.title = moment.format(time);
    }
    setText(e, howLongAgo(time));
}


function reach() {
    const past = times[slot] - times[(slot - samples + 1 + SAMPLES) % SAMPLES];
    return Math.min(WINDOW, Math.max(NARROWEST, past));
}


// Time goes from left to right in both languages, as it does on paper.

function chart(points, width, height) {
    const past = reach();
    const most = points.reduce((m, p) => Math.max(m, p[1]), 0);
    const svg = shape('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img',
                               preserveAspectRatio: 'none' });
    const x = (back) => (width * (1 - back / past)).toFixed(1);
    const y = (v) => (height - 1.5 - (height - 4) * v / (most || 1)).toFixed(1);

    svg.append(shape('path', { class: 'base', d: `M0 ${height - 1}H${width}` }));

    if (points.length > 1) {
        const line = points.map((p) => `${x(p[0])} ${y(p[1])}`).join('L');

        svg.append(shape('path', { class: 'area',
            d: `M${x(points[0][0])} ${height - 1}L${line}V${height - 1}z` }),
                   shape('path', { class: 'curve', d: `M${line}` }));
    }

    const wrong = points.filter((p) => p[2] > 0);

    if (wrong.length) {
        const w = Math.max(1.5, width * POLL / 1000 / past);

        svg.append(shape('path', { class: 'fail', d: wrong.map((p) =>
            `M${x(p[0])} ${height}V${Math.min(y(p[2]), height - 4)}h${-w.toFixed(2)}V${height}z`
        ).join('') }));
    }

    return { svg, most };
}


function describe(points, most, errors) {
    const last = points.length ? points[points.length - 1][1] : 0;

    return fill(text.chart, { minutes: number.format(reach() / 60),
        now: number.format(last), most: number.format(most),
        errors: errors === null ? '–' : share.format(errors) });
}


// ---- drawing

function draw() {
    drawMode();

    if (status) {
        drawSummary();
        drawStates();
        drawRows();
        drawBalance();
        drawEvents();
    }
}


function drawMode() {
    const banner = $('banner');
    const none = mode === 'on' && status.instances.healthy === 0;
    const kind = mode === 'gone' || mode === 'odd' ? 'gone' : none ? 'none' : '';

    // first its words, then it is shown: an alert is read once
    if (kind === 'gone') {
        setText($('banner-title'), mode === 'gone' ? text.goneTitle
                                   : fill(text.oddTitle, { what: odd }));
        setIcon($('banner-icon'), 'gone');
        countDown();
    } else if (kind === 'none') {
        setText($('banner-title'), text.noneTitle);
        setText($('banner-text'), text.noneText);
        setIcon($('banner-icon'), 'down');
    }

    $('retry').hidden = kind !== 'gone';
    banner.hidden = !kind;

    $('key-form').hidden = mode !== 'key';
    setIcon($('key-icon'), 'key');
    $('forget').hidden = !key;

    const fresh = mode === 'on';

    if (status) {
        drawVerdict();
    }

    $('data').hidden = !status;
    $('data').toggleAttribute('data-stale', !fresh);
    $('live').dataset.kind = fresh ? 'on' : mode === 'wait' ? 'wait' : 'off';
    setIcon($('live-icon'), fresh || mode === 'wait' ? 'dot' : 'gone');
    setText($('live-text'), mode === 'wait' ? text.connecting
            : !when ? text.never
            : fill(fresh ? text.live : text.stale, { time: clock.format(when) }));

    document.title = fresh ? `(${status.instances.healthy}/${status.instances.total}) ${text.title}`
                   : mode === 'wait' ? text.title : `(!) ${text.title}`;
}


// What was known last is not what is now.
function drawVerdict() {
    const { total, healthy } = status.instances;
    const kind = mode !== 'on' ? 'gone' : healthy === 0 ? 'down'
               : healthy < total ? 'warn' : 'up';

    $('verdict').dataset.kind = kind;
    setIcon($('verdict-icon'), kind);
    setText($('verdict-word'), text[{ up: 'allUp', warn: 'someUp',
                                      down: 'noneUp', gone: 'lastKnown' }[kind]]);
}


function countDown() {
    const left = Math.ceil((next - performance.now()) / 1000);

    setText($('banner-text'), left > 0
            ? fill(text.goneText, { seconds: number.format(left) })
            : text.goneNow);
}


function drawSummary() {
    const g = status.gateway;
    const { total, healthy } = status.instances;

    const about = fill(text.about, {
        uptime: duration(g.uptime * 1000), version: g.version, nginx: g.nginx,
        workers: number.format(g.workers),
        reloads: number.format(g.generation) });

    if ($('about').textContent !== about) {
        $('about').replaceChildren(...about.split(/( · )/).map((part) =>
            element('span', part === ' · ' ? '' : 'part', part)));
    }

    setText($('verdict-count'), fill(text.count, {
        healthy: number.format(healthy), total: number.format(total) }));

    const all = [...instances.values()];
    const sum = (what) => all.reduce((n, i) => n + (what(i) || 0), 0);
    const recent = sum((i) => i.asked);
    const errors = recent > 0 ? Math.min(1, sum((i) => i.wrong) / recent) : null;

    setText($('total-rate'), samples > 1 ? number.format(sum((i) => i.rate)) : '–');
    setText($('total-flight'), number.format(status.flight));
    setText($('total-errors'), errors === null ? '–' : share.format(errors));
    $('total-errors').classList.toggle('bad', errors > 0.01);
    setText($('total-requests'), number.format(status.total));

    const points = series(asked, wrong);
    const { svg, most } = chart(points, 600, 84);

    svg.setAttribute('aria-label', describe(points, most, errors));
    $('total-chart').replaceChildren(svg);
    setText($('axis-from'), fill(text.ago, { minutes: number.format(reach() / 60) }));
    setText($('axis-to'), fill(text.now, { most: number.format(most) }));
}


// The counts of states, each a filter of the table.
function drawStates() {
    const counts = {};
    const box = $('states');

    for (const i of instances.values()) {
        counts[i.d.state] = (counts[i.d.state] || 0) + 1;
    }

    for (const state of STATES) {
        let b = box.querySelector(`button[data-state="${state}"]`);

        if (!b) {
            b = element('button');
            b.type = 'button';
            b.dataset.state = state;
            b.append(element('span', 'icon'), element('span', '', text[state]),
                     element('strong'));
            b.firstChild.append(icon(state));
            b.addEventListener('click', () => {
                $('filter').value = $('filter').value === state ? 'any' : state;
                page = 0;
                draw();
            });
            box.append(b);
        }

        b.hidden = !counts[state] && $('filter').value !== state;
        b.setAttribute('aria-pressed', String($('filter').value === state));
        setText(b.lastChild, number.format(counts[state] || 0));
    }
}


function order(by) {
    const rank = (i) => STATES.indexOf(i.d.state);
    const high = (x, y) => (y === null ? -1 : y) - (x === null ? -1 : x);
    const ill = (i) => (i.errors > 0.01 ? i.errors : 0);
    const orders = {
        byProblem: (a, b) => rank(a) - rank(b) || ill(b) - ill(a),
        byOrder: () => 0,
        byRate: (a, b) => high(a.rate, b.rate),
        byErrors: (a, b) => high(a.errors, b.errors),
        byLatency: (a, b) => high(a.d.latency.p95, b.d.latency.p95),
    };

    return (a, b) => orders[by](a, b) || a.order - b.order;
}


function wanted() {
    const state = $('filter').value;
    const words = $('search').value.trim().toLowerCase();

    return [...instances.values()].filter((i) =>
        (state === 'any' || i.d.state === state)
        && (!words || i.name.toLowerCase().includes(words)
            || `${i.d.reason || ''} ${explain(i.d.reason)}`.toLowerCase().includes(words)))
        .sort(order($('sort').value));
}


function drawRows() {
    const list = wanted();
    const pages = Math.max(1, Math.ceil(list.length / ROWS));

    page = Math.min(page, pages - 1);

    const shown = list.slice(page * ROWS, (page + 1) * ROWS);
    const keep = new Set(shown.map((i) => i.name));

    for (const [name, row] of rows) {
        if (!keep.has(name)) {
            row.tr.remove();
            rows.delete(name);
        }
    }

    shown.forEach((i, n) => {
        let row = rows.get(i.name);

        if (!row) {
            row = newRow(i);
            rows.set(i.name, row);
        }

        drawRow(row, i);

        if ($('rows').children[n] !== row.tr) {
            $('rows').insertBefore(row.tr, $('rows').children[n] || null);
        }
    });

    $('empty').hidden = shown.length > 0;
    $('pager').hidden = pages === 1;
    $('before').disabled = page === 0;
    $('after').disabled = page === pages - 1;
    setText($('page'), pages === 1 ? '' : fill(text.page, {
        from: number.format(page * ROWS + 1),
        to: number.format(page * ROWS + shown.length),
        total: number.format(list.length) }));
}


function newRow(i) {
    const tr = element('tr');
    const cell = (cls, label) => {
        const td = element('td', cls);
        td.setAttribute('role', 'cell');
        td.dataset.label = text[label];
        tr.append(td);
        return td;
    };

    tr.setAttribute('role', 'row');

    const th = element('th');
    th.scope = 'row';
    th.setAttribute('role', 'rowheader');

    const name = element('bdi', 'name', i.name);
    name.dir = 'ltr';
    const weight = element('span', 'weight');
    th.append(name, weight);
    tr.append(th);

    const state = cell('state', 'state');
    const row = { tr, weight, chip: chip(i.d.state),
                  reason: element('span', 'reason'), raw: element('bdi', 'raw') };
    row.raw.dir = 'ltr';
    state.append(row.chip, row.reason, row.raw);

    row.since = element('time');
    cell('since', 'since').append(row.since);
    row.flight = element('span');
    cell('num third', 'inFlight').append(row.flight);
    row.rate = element('span');
    cell('num third', 'rateShort').append(row.rate);
    row.errors = element('span');
    cell('num fourth', 'errors').append(row.errors);

    for (const p of ['p50', 'p95', 'p99']) {
        row[p] = element('span');
        cell('num fourth', p).append(row[p]);
    }

    row.spark = cell('spark', 'minutes');
    return row;
}


function drawRow(row, i) {
    const d = i.d;
    const reason = d.reason || '';
    const words = explain(reason);

    setText(row.weight, d.weight === 1 ? '' : fill(text.weight,
                                         { weight: number.format(d.weight) }));
    setChip(row.chip, d.state);
    setText(row.reason, words);
    setText(row.raw, reason);
    setTime(row.since, d.since);
    setText(row.flight, number.format(d.requests.inFlight));
    setText(row.rate, i.rate === null ? '–' : number.format(i.rate));
    setText(row.errors, i.errors === null ? '–' : share.format(i.errors));
    row.errors.classList.toggle('bad', i.errors > 0.01);

    for (const p of ['p50', 'p95', 'p99']) {
        setText(row[p], d.latency[p] === null ? '–' : number.format(d.latency[p]));
    }

    const points = series(i.total, i.bad);
    const { svg, most } = chart(points, 120, 30);

    svg.setAttribute('aria-label', describe(points, most, i.errors));
    row.spark.replaceChildren(svg);
}


function drawBalance() {
    const all = [...instances.values()];
    const recent = all.reduce((n, i) => n + i.asked, 0);
    const amount = (i) => recent > 0 ? i.asked : i.d.requests.total;
    const sum = recent > 0 ? recent : status.total;
    let list = all.map((i) => ({ i, share: sum > 0 ? amount(i) / sum : 0,
        fair: recent > 0 ? (i.due[slot] - i.due[i.first]) / recent : 0 }));

    if (list.length > BARS) {
        list.sort((a, b) => Math.abs(b.share - b.fair) - Math.abs(a.share - a.fair)
                            || a.i.order - b.i.order);
        list = list.slice(0, BARS);
    }
    list.sort((a, b) => a.i.order - b.i.order);

    setText($('balance-note'), all.length > BARS
            ? fill(text.balanceFew, { shown: number.format(BARS),
                                      total: number.format(all.length) })
            : recent > 0 || sum === 0 ? text.balanceNote : text.balanceEver);

    const most = list.reduce((m, b) => Math.max(m, b.share, b.fair), 0) * 1.1 || 1;
    const keep = new Set(list.map((b) => b.i.name));

    for (const [name, bar] of bars) {
        if (!keep.has(name)) {
            bar.li.remove();
            bars.delete(name);
        }
    }

    list.forEach(({ i, share: part, fair }, n) => {
        let bar = bars.get(i.name);

        if (!bar) {
            const name = element('bdi', 'name', i.name);
            name.dir = 'ltr';
            bar = { li: element('li'), value: element('span', 'value'),
                    fill: element('span', 'fill'), fair: element('span', 'fair'),
                    words: element('span', 'unseen') };
            const meter = element('span', 'meter');
            meter.setAttribute('aria-hidden', 'true');
            meter.append(bar.fill, bar.fair);
            bar.li.append(name, bar.value, bar.words, meter);
            bars.set(i.name, bar);
        }

        setText(bar.value, portion(part));
        setText(bar.words, recent === 0 ? ''
                : fill(text.share, { fair: portion(fair) }));
        bar.fill.style.inlineSize = `${(100 * part / most).toFixed(2)}%`;
        bar.fair.style.insetInlineStart =
            `calc(${(100 * fair / most).toFixed(2)}% - ${fair > 0 ? 2 : 0}px)`;
        bar.fair.hidden = recent === 0;

        if ($('shares').children[n] !== bar.li) {
            $('shares').insertBefore(bar.li, $('shares').children[n] || null);
        }
    });
}


function eventId(e) {
    return `${e.time} ${e.instance} ${e.to}`;
}


function drawEvents() {
    const events = status.events;
    const list = events.slice(allEvents ? 0 : -EVENTS).reverse();
    const box = $('events');
    const old = new Map([...box.children].map((li) => [li.dataset.id, li]));

    const items = list.map((e) => {
        const id = eventId(e);
        const li = old.get(id) || newEvent(e, id);

        setTime(li.querySelector('time'), e.time);
        return li;
    });

    if (items.length !== box.children.length
        || items.some((li, n) => li !== box.children[n]))
    {
        box.replaceChildren(...items);
    }

    $('no-events').hidden = events.length > 0;
    $('more').hidden = events.length <= EVENTS;
    $('more').setAttribute('aria-expanded', String(allEvents));
    setText($('more'), allEvents ? text.fewerEvents
            : fill(text.moreEvents, { total: number.format(events.length) }));

    tell(events);
}


function newEvent(e, id) {
    const li = element('li');
    const name = element('bdi', 'name', e.instance);
    const what = element('span', 'what');
    const why = element('span', 'why');
    const arrow = element('span', 'arrow icon');

    li.dataset.id = id;
    name.dir = 'ltr';
    arrow.append(icon('arrow'), element('span', 'unseen', text.becomes));
    what.append(chip(e.from), arrow, chip(e.to));

    if (e.reason) {
        const raw = element('bdi', 'raw', e.reason);
        raw.dir = 'ltr';
        why.append(element('span', 'reason', explain(e.reason)), raw);
    }

    li.append(name, element('time'), what, why);
    return li;
}


// New events, to those who listen.
function tell(events) {
    const last = events.length ? eventId(events[events.length - 1]) : '';

    if (lastEvent !== null && last !== lastEvent && last) {
        const from = events.findIndex((e) => eventId(e) === lastEvent) + 1;

        setText($('news'), events.slice(from).slice(-3).map((e) =>
            fill(text.news, { instance: e.instance,
                state: STATES.includes(e.to) ? text[e.to] : e.to,
                reason: explain(e.reason) || e.reason || '' })).join(' '));
    }

    lastEvent = last;
}


// ---- hands

$('lang').addEventListener('click', () => {
    lang = lang === 'ar' ? 'en' : 'ar';
    remember('localStorage', 'wa_gateway.lang', lang);
    speak();
});

$('key-form').addEventListener('submit', (e) => {
    e.preventDefault();
    key = $('key').value;
    remember('sessionStorage', 'wa_gateway.key', key);
    poll();
});

$('forget').addEventListener('click', () => {
    key = '';
    remember('sessionStorage', 'wa_gateway.key', '');
    poll();
});

$('retry').addEventListener('click', () => {
    next = 0;
    countDown();
    poll();
});

for (const id of ['search', 'filter', 'sort']) {
    $(id).addEventListener('input', () => {
        page = 0;
        draw();
    });
}

$('before').addEventListener('click', () => { page--; draw(); });
$('after').addEventListener('click', () => { page++; draw(); });

$('more').addEventListener('click', () => {
    allEvents = !allEvents;
    draw();
});

document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);

    if (!document.hidden && mode !== 'key') {
        poll();
    }
});

setInterval(() => {
    if (!document.hidden && (mode === 'gone' || mode === 'odd')) {
        countDown();
    }
}, 1000);

speak();
poll();

})();
