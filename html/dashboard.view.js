'use strict';

// What is shown: draws what is known of the gateway, in the language it is
// told.  Whatever comes from instances (names, reasons) is put into the page
// as text, never markup.

const view = (function () {

const ROWS = 50;                // of the table at a time
const BARS = 20;
const EVENTS = 8;

const { $, count, percent, fill, element, shape, icon, setText, setIcon, chip,
        setChip, setTime, place } = parts;

let text;

const rows = new Map();                         // those in the page, by name
const bars = new Map();
let page = 0;                                   // of the table
let allEvents = false;
let lastEvent = null;


// ---- words

function speak(lang) {
    const root = document.documentElement;

    text = parts.use(lang);
    root.lang = lang;
    root.dir = lang === 'ar' ? 'rtl' : 'ltr';

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

    parts.options($('filter'), ['any', ...gateway.STATES]);
    parts.options($('sort'), gateway.SORTS);

    rows.clear();
    $('rows').replaceChildren();
    sessionView.speak();
    controlView.speak();
    loginView.speak();
    bars.clear();
    $('shares').replaceChildren();
    $('states').replaceChildren();
    $('events').replaceChildren();
    draw();
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

    return fill(text.chart, { minutes: count(gateway.reach() / 60),
        now: count(last), most: count(most),
        errors: errors === null ? '–' : percent(errors) });
}


// ---- drawing

function draw() {
    drawMode();

    if (gateway.status) {
        drawSummary();
        drawStates();
        drawRows();
        sessionView.draw();
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
        const ill = gateway.list.some(cannotSend);

        setText($('banner-title'), ill ? text.noReadyTitle : text.noneTitle);
        setText($('banner-text'), ill ? text.noReadyText : text.noneText);
        setIcon($('banner-icon'), 'down');
    }

    $('retry').hidden = kind !== 'gone';
    banner.hidden = !kind;

    $('key-form').hidden = mode !== 'key';
    setIcon($('key-icon'), 'key');
    $('forget').hidden = !gateway.locked;
    controlView.draw();

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
            : fill(fresh ? text.live : text.stale, { time: parts.time(when) }));

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
            ? fill(text.goneText, { seconds: count(left) })
            : text.goneNow);
}


function drawSummary() {
    const g = gateway.status.gateway;
    const { total, healthy } = gateway.status.instances;
    const { rate, flight, errors, total: requests } = gateway.totals;

    const about = fill(text.about, {
        uptime: parts.duration(g.uptime * 1000), version: g.version, nginx: g.nginx,
        workers: count(g.workers),
        reloads: count(g.generation) });

    if ($('about').textContent !== about) {
        $('about').replaceChildren(...about.split(/( · )/).map((part) =>
            element('span', part === ' · ' ? '' : 'part', part)));
    }

    setText($('verdict-count'), fill(text.count, {
        healthy: count(healthy), total: count(total) }));

    drawStore(gateway.status.store);

    setText($('total-rate'), rate === null ? '–' : count(rate));
    setText($('total-flight'), count(flight));
    setText($('total-errors'), errors === null ? '–' : percent(errors));
    $('total-errors').classList.toggle('bad', errors > 0.01);
    setText($('total-requests'), count(requests));

    const points = gateway.series(gateway.all);
    const { svg, most } = chart(points, 600, 84);

    svg.setAttribute('aria-label', describe(points, most, errors));
    $('total-chart').replaceChildren(svg);
    setText($('axis-from'), fill(text.ago, { minutes: count(gateway.reach() / 60) }));
    setText($('axis-to'), fill(text.now, { most: count(most) }));
}


// What several gateways share their keys and budgets in, if there is one.
function drawStore(store) {
    $('verdict-store').hidden = !store;

    if (!store) {
        return;
    }

    const took = store.latency.p99;
    const key = store.up ? (took === null ? 'storeUp' : 'storeUpTook')
        : store.onError === 'local' ? 'storeLocal' : 'storeRefuse';

    setText($('verdict-store'), fill(text[key], {
        store: store.store, reason: store.reason || '?',
        since: parts.duration(gateway.totals.now - Date.parse(store.since)),
        took: took === null ? '' : count(took) }));
    $('verdict-store').classList.toggle('bad', !store.up);
}


// The counts of states, each a filter of the table.
function drawStates() {
    const counts = gateway.counts();

    parts.filters($('states'), gateway.STATES, 'instance', counts, $('filter').value,
                  (state) => {
        $('filter').value = $('filter').value === state ? 'any' : state;
        find();
    });
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
            || `${i.d.reason || ''} ${parts.explain(i.d.reason)}`.toLowerCase().includes(words))),
        $('sort').value);
}


// It answers, and none of its sessions can send.
function cannotSend({ d }) {
    return sessions.shown && d.sessions && !d.healthy && d.sessions.ready === 0
           && d.state !== 'down' && d.state !== 'checking';
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

        place($('rows'), n, row.tr);
    });

    $('empty').hidden = shown.length > 0;
    $('pager').hidden = pages === 1;
    $('before').disabled = page === 0;
    $('after').disabled = page === pages - 1;
    setText($('page'), pages === 1 ? '' : fill(text.page, {
        from: count(page * ROWS + 1),
        to: count(page * ROWS + shown.length),
        total: count(list.length) }));
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
    const tally = element('button', 'tally');

    tally.type = 'button';
    tally.addEventListener('click', () => sessionView.show(i.name));
    const manage = element('button', 'manage', text.manage);

    manage.type = 'button';
    manage.setAttribute('aria-label', fill(text.manageOne, { instance: i.name }));
    manage.addEventListener('click', () => controlView.open(i.name));
    th.append(parts.label(i.name), weight, tally, manage);
    tr.append(th);

    const state = cell('state', 'state');
    const row = { tr, weight, tally, manage, chip: chip(i.d.state),
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
    const words = parts.explain(reason) || (cannotSend(i) ? text.noReady : '');
    const own = sessions.shown && d.sessions;

    setText(row.weight, d.weight === 1 ? '' : fill(text.weight,
                                         { weight: count(d.weight) }));
    row.tally.hidden = !own;
    setText(row.tally, own ? parts.tally(own) : '');
    row.manage.hidden = !control.allowed;
    setChip(row.chip, d.state);
    setText(row.reason, words);
    setText(row.raw, reason);
    setTime(row.since, d.since);
    setText(row.flight, count(d.requests.inFlight));
    setText(row.rate, i.rate === null ? '–' : count(i.rate));
    setText(row.errors, i.errors === null ? '–' : percent(i.errors));
    row.errors.classList.toggle('bad', i.errors > 0.01);

    for (const p of ['p50', 'p95', 'p99']) {
        setText(row[p], d.latency[p] === null ? '–' : count(d.latency[p]));
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
            ? fill(text.balanceFew, { shown: count(BARS),
                                      total: count(size) })
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
            bar.li.append(parts.label(i.name), bar.value, bar.words, meter);
            bars.set(i.name, bar);
        }

        setText(bar.value, parts.portion(part));
        setText(bar.words, asked === 0 ? ''
                : fill(text.share, { fair: parts.portion(fair) }));
        bar.fill.style.inlineSize = `${(100 * part / most).toFixed(2)}%`;
        bar.fair.style.insetInlineStart =
            `calc(${(100 * fair / most).toFixed(2)}% - ${fair > 0 ? 2 : 0}px)`;
        bar.fair.hidden = asked === 0;

        place($('shares'), n, bar.li);
    });
}


function toggleEvents() {
    allEvents = !allEvents;
    draw();
}


function eventId(e) {
    return `${e.time} ${e.instance} ${e.session || ''} ${e.to}`;
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
            : fill(text.moreEvents, { total: count(events.length) }));

    tell(events);
}


// An event of a session has its name; without a state before it is new,
// without one after it is forgotten.

function kindOf(e) {
    return typeof e.session === 'string' ? 'session' : 'instance';
}


function newEvent(e, id) {
    const kind = kindOf(e);
    const li = element('li');
    const what = element('span', 'what');
    const why = element('span', 'why');
    const arrow = element('span', 'arrow icon');

    li.dataset.id = id;
    arrow.append(icon('arrow'), element('span', 'unseen', text.becomes));
    what.append(chip(e.from || 'new', kind), arrow,
                chip(e.to || 'forgotten', kind));

    if (e.reason) {
        const raw = element('bdi', 'raw', e.reason);
        raw.dir = 'ltr';
        why.append(element('span', 'reason', parts.explain(e.reason)), raw);
    }

    const where = parts.label(e.instance);

    if (kind === 'session') {
        const who = element('span', 'who');

        where.classList.add('where');
        who.append(parts.nameOf(e.session));

        if (e.number) {
            who.append(' ', parts.label(e.number));
        }
        li.append(who, element('time'), what, where, why);
    } else {
        li.append(where, element('time'), what, why);
    }
    return li;
}


// How it is said; each name keeps its direction.
function newsOf(e) {
    const kind = kindOf(e);
    const to = e.to || 'forgotten';
    const number = e.number ? ` \u2066${e.number}\u2069` : '';

    return fill(text.news, {
        instance: kind === 'session' ? e.session : e.instance,
        number: kind === 'session' ? number : '',
        state: parts.word(kind, to),
        reason: parts.explain(e.reason) || e.reason || '' });
}


// New events, to those who listen.
function tell(events) {
    const last = events.length ? eventId(events[events.length - 1]) : '';

    if (lastEvent !== null && last !== lastEvent && last) {
        const from = events.findIndex((e) => eventId(e) === lastEvent) + 1;

        setText($('news'), events.slice(from).slice(-3).map(newsOf).join(' '));
    }

    lastEvent = last;
}


return { speak, draw, drawMode, askKey, countDown, find, turn, toggleEvents };

})();
