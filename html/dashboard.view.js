'use strict';

// What is shown: draws what is known of the gateway, in the language it is
// told.  Whatever comes from instances (names, reasons) is put into the page
// as text, never markup.

const view = (function () {

const ROWS = 50;                // of the table at a time
const BARS = 20;
const EVENTS = 8;
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

let text, locale, number, share, sliver, clock, moment, ago;

const rows = new Map();                         // those in the page, by name
const bars = new Map();
let page = 0;                                   // of the table
let allEvents = false;
let lastEvent = null;


// ---- words

function speak(lang) {
    const root = document.documentElement;

    locale = lang === 'ar' ? 'ar-u-nu-latn' : 'en-GB';
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

    options($('filter'), ['any', ...gateway.STATES]);
    options($('sort'), gateway.SORTS);

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

    return new Intl.NumberFormat(locale,
        { style: 'unit', unit, unitDisplay: 'long' }).format(n);
}


function howLongAgo(time) {
    const [n, unit] = span(gateway.totals.now - time);
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


// The name of an instance is read from left to right.
function label(name) {
    const e = element('bdi', name.length <= 32 ? 'name short' : 'name', name);

    e.dir = 'ltr';
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
        const known = gateway.STATES.includes(state);

        e.dataset.state = state;
        e.classList.toggle('odd', !known);
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


// Time goes from left to right in both languages, as it does on paper.

function chart(points, width, height) {
    const past = gateway.reach();
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
        const w = Math.max(1.5, width * gateway.POLL / 1000 / past);

        svg.append(shape('path', { class: 'fail', d: wrong.map((p) =>
            `M${x(p[0])} ${height}V${Math.min(y(p[2]), height - 4)}h${-w.toFixed(2)}V${height}z`
        ).join('') }));
    }

    return { svg, most };
}


function describe(points, most, errors) {
    const last = points.length ? points[points.length - 1][1] : 0;

    return fill(text.chart, { minutes: number.format(gateway.reach() / 60),
        now: number.format(last), most: number.format(most),
        errors: errors === null ? '–' : share.format(errors) });
}


// ---- drawing

function draw() {
    drawMode();

    if (gateway.status) {
        drawSummary();
        drawStates();
        drawRows();
        drawBalance();
        drawEvents();
    }
}


function drawMode() {
    const { mode, status, when } = gateway;
    const banner = $('banner');
    const none = mode === 'on' && status.instances.healthy === 0;
    const kind = mode === 'gone' || mode === 'odd' ? 'gone' : none ? 'none' : '';

    // first its words, then it is shown: an alert is read once
    if (kind === 'gone') {
        setText($('banner-title'), mode === 'gone' ? text.goneTitle
                                   : fill(text.oddTitle, { what: gateway.odd }));
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
    $('forget').hidden = !gateway.locked;

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


function askKey(again) {
    drawMode();
    setText($('key-text'), text[again ? 'keyWrong' : 'keyText']);
    $('key').setAttribute('aria-invalid', String(again));
    $('key').value = '';
    $('key').focus();
}


// What was known last is not what is now.
function drawVerdict() {
    const { total, healthy } = gateway.status.instances;
    const kind = gateway.mode !== 'on' ? 'gone' : healthy === 0 ? 'down'
               : healthy < total ? 'warn' : 'up';

    $('verdict').dataset.kind = kind;
    setIcon($('verdict-icon'), kind);
    setText($('verdict-word'), text[{ up: 'allUp', warn: 'someUp',
                                      down: 'noneUp', gone: 'lastKnown' }[kind]]);
}


function countDown() {
    const left = Math.ceil(gateway.left / 1000);

    setText($('banner-text'), left > 0
            ? fill(text.goneText, { seconds: number.format(left) })
            : text.goneNow);
}


function drawSummary() {
    const g = gateway.status.gateway;
    const { total, healthy } = gateway.status.instances;
    const { rate, flight, errors, total: requests } = gateway.totals;

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

    setText($('total-rate'), rate === null ? '–' : number.format(rate));
    setText($('total-flight'), number.format(flight));
    setText($('total-errors'), errors === null ? '–' : share.format(errors));
    $('total-errors').classList.toggle('bad', errors > 0.01);
    setText($('total-requests'), number.format(requests));

    const points = gateway.series(gateway.all);
    const { svg, most } = chart(points, 600, 84);

    svg.setAttribute('aria-label', describe(points, most, errors));
    $('total-chart').replaceChildren(svg);
    setText($('axis-from'), fill(text.ago, { minutes: number.format(gateway.reach() / 60) }));
    setText($('axis-to'), fill(text.now, { most: number.format(most) }));
}


// The counts of states, each a filter of the table.
function drawStates() {
    const counts = gateway.counts();
    const box = $('states');

    for (const state of gateway.STATES) {
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
                find();
            });
            box.append(b);
        }

        b.hidden = !counts[state] && $('filter').value !== state;
        b.setAttribute('aria-pressed', String($('filter').value === state));
        setText(b.lastChild, number.format(counts[state] || 0));
    }
}


// By what the search, the filter and the order say now.
function find() {
    page = 0;
    draw();
}


function turn(by) {
    page += by;
    draw();
}


function wanted() {
    const state = $('filter').value;
    const words = $('search').value.trim().toLowerCase();

    return gateway.inOrder(gateway.list.filter((i) =>
        (state === 'any' || i.d.state === state)
        && (!words || i.name.toLowerCase().includes(words)
            || `${i.d.reason || ''} ${explain(i.d.reason)}`.toLowerCase().includes(words))),
        $('sort').value);
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

    const weight = element('span', 'weight');
    th.append(label(i.name), weight);
    tr.append(th);

    const state = cell('state', 'state');
    const row = { tr, weight, chip: chip(i.d.state),
                  reason: element('span', 'reason'), raw: element('bdi', 'raw') };
    row.raw.dir = 'ltr';
    state.append(row.chip, row.reason, row.raw);

    row.since = element('time');
    cell('since', 'since').append(row.since);
    row.flight = element('span');
    cell('num flight', 'inFlight').append(row.flight);
    row.rate = element('span');
    cell('num rate', 'rateShort').append(row.rate);
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

    const points = gateway.series(i);
    const { svg, most } = chart(points, 120, 30);

    svg.setAttribute('aria-label', describe(points, most, i.errors));
    row.spark.replaceChildren(svg);
}


function drawBalance() {
    const list = gateway.shares(BARS);
    const size = gateway.list.length;
    const { asked, total } = gateway.totals;

    setText($('balance-note'), size > BARS
            ? fill(text.balanceFew, { shown: number.format(BARS),
                                      total: number.format(size) })
            : asked > 0 || total === 0 ? text.balanceNote : text.balanceEver);

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
            bar = { li: element('li'), value: element('span', 'value'),
                    fill: element('span', 'fill'), fair: element('span', 'fair'),
                    words: element('span', 'unseen') };
            const meter = element('span', 'meter');
            meter.setAttribute('aria-hidden', 'true');
            meter.append(bar.fill, bar.fair);
            bar.li.append(label(i.name), bar.value, bar.words, meter);
            bars.set(i.name, bar);
        }

        setText(bar.value, portion(part));
        setText(bar.words, asked === 0 ? ''
                : fill(text.share, { fair: portion(fair) }));
        bar.fill.style.inlineSize = `${(100 * part / most).toFixed(2)}%`;
        bar.fair.style.insetInlineStart =
            `calc(${(100 * fair / most).toFixed(2)}% - ${fair > 0 ? 2 : 0}px)`;
        bar.fair.hidden = asked === 0;

        if ($('shares').children[n] !== bar.li) {
            $('shares').insertBefore(bar.li, $('shares').children[n] || null);
        }
    });
}


function toggleEvents() {
    allEvents = !allEvents;
    draw();
}


function eventId(e) {
    return `${e.time} ${e.instance} ${e.to}`;
}


function drawEvents() {
    const events = gateway.status.events;
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
    const what = element('span', 'what');
    const why = element('span', 'why');
    const arrow = element('span', 'arrow icon');

    li.dataset.id = id;
    arrow.append(icon('arrow'), element('span', 'unseen', text.becomes));
    what.append(chip(e.from), arrow, chip(e.to));

    if (e.reason) {
        const raw = element('bdi', 'raw', e.reason);
        raw.dir = 'ltr';
        why.append(element('span', 'reason', explain(e.reason)), raw);
    }

    li.append(label(e.instance), element('time'), what, why);
    return li;
}


// New events, to those who listen.
function tell(events) {
    const last = events.length ? eventId(events[events.length - 1]) : '';

    if (lastEvent !== null && last !== lastEvent && last) {
        const from = events.findIndex((e) => eventId(e) === lastEvent) + 1;

        setText($('news'), events.slice(from).slice(-3).map((e) =>
            fill(text.news, { instance: e.instance,
                state: gateway.STATES.includes(e.to) ? text[e.to] : e.to,
                reason: explain(e.reason) || e.reason || '' })).join(' '));
    }

    lastEvent = last;
}


return { $, speak, draw, drawMode, askKey, countDown, find, turn, toggleEvents };

})();
