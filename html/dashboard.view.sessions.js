'use strict';

// What is shown of the sessions: groups of them, by instance or by number.
// However many there are, the page holds about as many as can be looked at;
// the rest comes by buttons and by the search.

const sessionView = (function () {

const { $, count, fill, element, setText, setChip, place } = parts;

const MOST = 50;                // rows of a group, and groups, at a time
const FEW = 10;                 // rows of a group that is open by itself

let text;
let names = {};                 // of states, for the search
let by = 'instance';
let state = '';                 // the only one that is wanted
let most = MOST;                // groups

let opened = new Map();         // by key, what the user opened or closed
let limits = new Map();         // and of how many more rows were asked for
const groups = new Map();       // those in the page, by key


// ---- words

function speak() {
    text = parts.text;
    names = Object.fromEntries(sessions.STATES.map((s) =>
        [s, parts.word('session', s)]));
    $('session-states').replaceChildren();
    clear();
}


function clear() {
    for (const g of groups.values()) {
        g.body.remove();
    }
    groups.clear();
}


// ---- hands

// What was opened by hand is forgotten: what is found is to be seen.
function find() {
    most = MOST;
    opened = new Map();
    limits = new Map();
    draw();
}


function group(how) {
    if (by !== how) {
        by = how;
        clear();
        find();
    }
}


function more() {
    most += MOST;
    draw();

    if ($('more-groups').hidden) {
        $('sessions').focus();
    }
}


// The sessions of an instance.
function show(instance) {
    state = '';
    $('session-search').value = instance;
    group('instance');
    find();
    $('sessions').focus();
    $('sessions').scrollIntoView();
}


function pick(wanted) {
    state = state === wanted ? '' : wanted;
    find();
}


// ---- drawing

function draw() {
    const { shown, totals } = sessions;

    $('sessions').hidden = $('skip-sessions').hidden = !shown;
    $('verdict-sessions').hidden = !shown || !totals;

    if (!shown) {
        clear();
        return;
    }

    if (totals) {
        setText($('verdict-sessions'), parts.tally(totals));
    }

    drawNote();

    const query = $('session-search').value.trim();
    const answer = sessions.find(by, query, state, names);
    const total = totals ? totals.total : 0;

    setText($('sessions-tally'), totals ? parts.tally(totals) : '');
    setText($('sessions-found'), !query && !state || !total ? ''
            : answer.total ? parts.tally(answer) : text.sessionsNothing);
    $('no-sessions').hidden = !totals || total > 0;

    $('by-instance').setAttribute('aria-pressed', String(by === 'instance'));
    $('by-number').setAttribute('aria-pressed', String(by === 'number'));
    setText($('second'), by === 'instance' ? text.waNumber : text.instance);

    parts.filters($('session-states'), [...sessions.STATES].reverse(), 'session',
                  answer.counts, state, pick);

    drawGroups(answer.groups, query !== '' || state !== '');
}


function drawNote() {
    const known = gateway.status.sessions || {};
    const note = sessions.mode === 'odd'
               ? fill(text.sessionsOdd, { what: sessions.odd })
               : known.capacity > 0 && known.total >= known.capacity
               ? fill(text.sessionsFull, { capacity: count(known.capacity) })
               : '';

    $('sessions-note').hidden = !note;
    setText($('sessions-note'), note);
}


// Groups open by themselves, the small ones or while something is looked for,
// until the page has enough rows.

function drawGroups(list, looking) {
    const shown = list.slice(0, most);
    const keep = new Set(shown.map((g) => g.key));
    const table = $('groups');
    let room = most;

    table.hidden = shown.length === 0;

    for (const [key, g] of groups) {
        if (!keep.has(key)) {
            g.body.remove();
            groups.delete(key);
        }
    }

    shown.forEach((found, n) => {
        let g = groups.get(found.key);

        if (!g) {
            g = newGroup(found.key);
            groups.set(found.key, g);
        }

        const rows = found.list.slice(0, limits.get(found.key) || MOST);
        const open = opened.has(found.key) ? opened.get(found.key)
                   : room > 0 && (looking || found.total <= FEW);

        if (open) {
            room -= rows.length;
        }

        drawGroup(g, found, open ? rows : []);
        g.button.setAttribute('aria-expanded', String(open));
        g.more.hidden = !open || rows.length === found.total;
        setText(g.more.firstChild.firstChild, g.more.hidden ? ''
                : fill(text.moreRows, { left: count(found.total - rows.length) }));

        place(table, n + 1, g.body);            // below the head
    });

    $('more-groups').hidden = shown.length === list.length;
    setText($('more-groups'), fill(text.moreRows,
                                   { left: count(list.length - shown.length) }));
}


function newGroup(key) {
    const body = element('tbody');
    const head = element('tr', 'head');
    const th = element('th');
    const button = element('button', 'toggle');
    const more = element('tr', 'rest');
    const td = element('td');
    const next = element('button', 'more');
    const arrow = element('span', 'icon');
    const g = { body, head, button, more, tally: element('span', 'tally'),
                chip: null, rows: new Map() };

    for (const tr of [head, more]) {
        tr.setAttribute('role', 'row');
    }

    body.setAttribute('role', 'rowgroup');
    th.setAttribute('role', 'rowheader');
    th.scope = 'rowgroup';
    td.setAttribute('role', 'cell');
    th.colSpan = td.colSpan = 5;
    button.type = next.type = 'button';

    const lead = element('span', 'lead');

    arrow.append(parts.icon('open'));
    lead.append(arrow, key ? parts.label(key) : element('span', '', text.noNumber));
    button.append(lead);

    if (by === 'instance') {
        g.chip = parts.chip('');
        button.append(g.chip);
    }

    button.append(g.tally);
    th.append(button);
    head.append(th);
    td.append(next);
    more.append(td);
    body.append(head, more);

    button.addEventListener('click', () => {
        opened.set(key, button.getAttribute('aria-expanded') !== 'true');
        draw();
    });

    next.addEventListener('click', () => {
        limits.set(key, (limits.get(key) || MOST) + MOST);
        opened.set(key, true);
        draw();

        if (more.hidden) {
            button.focus();
        }
    });

    return g;
}


function drawGroup(g, found, list) {
    const keep = new Set(list.map((s) => s.key));

    setText(g.tally, parts.tally(found));
    g.tally.classList.toggle('bad', found.ready === 0);

    if (g.chip) {
        const i = gateway.get(found.key);

        g.chip.hidden = !i;
        if (i) {
            setChip(g.chip, i.d.state);
        }
    }

    for (const [key, row] of g.rows) {
        if (!keep.has(key)) {
            row.tr.remove();
            g.rows.delete(key);
        }
    }

    list.forEach((s, n) => {
        let row = g.rows.get(s.key);

        if (!row) {
            row = newRow(s);
            g.rows.set(s.key, row);
        }

        drawRow(row, s);
        place(g.body, n + 1, row.tr);           // below the head
    });
}


function newRow(s) {
    const tr = element('tr');
    const th = element('th');
    const row = { tr, chip: parts.chip(s.state, 'session'),
                  second: element('bdi', 'name'),
                  reason: element('span', 'reason'), raw: element('bdi', 'raw'),
                  vendor: element('bdi', 'raw'), since: element('time'),
                  pace: element('meter', 'pace') };
    const cell = (cls, label, ...content) => {
        const td = element('td', cls);

        td.setAttribute('role', 'cell');
        td.dataset.label = label;
        td.append(...content);
        tr.append(td);
    };

    tr.setAttribute('role', 'row');
    th.setAttribute('role', 'rowheader');
    th.scope = 'row';
    row.login = action('loginOpen', 'loginOne', s.name,
                       () => loginView.open(row.s, () => hold(row)));
    row.trial = action('trial', 'trialOne', s.name,
                       () => loginView.openTrial(row.s, () => hold(row)));
    th.append(parts.nameOf(s.name), row.login, row.trial);
    tr.append(th);

    for (const e of [row.second, row.raw, row.vendor]) {
        e.dir = 'ltr';
    }

    cell('second', by === 'instance' ? text.waNumber : text.instance, row.second,
         row.pace);
    cell('state', text.state, row.chip, row.reason, row.raw);
    cell('vendor', text.vendorState, row.vendor);
    cell('since', text.since, row.since);
    return row;
}


function action(words, whose, session, what) {
    const button = element('button', 'manage', text[words]);

    button.type = 'button';
    button.setAttribute('aria-haspopup', 'dialog');
    button.setAttribute('aria-label', fill(text[whose], { session }));
    button.addEventListener('click', what);
    return button;
}


// The button that is there by now, of a row that may be gone.
function hold(row) {
    const button = row.login.hidden ? row.trial : row.login;

    (button.hidden || !row.tr.isConnected ? $('sessions') : button).focus();
}


function drawRow(row, s) {
    const held = [row.login, row.trial].indexOf(document.activeElement);

    row.s = s;
    row.login.hidden = !control.allowed || s.state === 'ready';
    row.trial.hidden = !control.allowed || s.state !== 'ready';

    // one takes the other's place, with the focus
    if (held >= 0) {
        hold(row);
    }
    setText(row.second, by === 'number' ? s.instance : s.number || '–');
    setChip(row.chip, s.state, 'session');
    setText(row.reason, parts.explain(s.reason));
    setText(row.raw, s.reason);
    setText(row.vendor, s.vendorState || '–');
    parts.setTime(row.since, s.since);
    drawPace(row.pace, s.pace);
}


// What is left of a number's budget: of its bucket, else of its day.

function drawPace(meter, pace) {
    const bucket = pace && pace.burst > 0;

    meter.hidden = !pace || !(bucket || pace.day > 0);

    if (meter.hidden) {
        return;
    }

    meter.max = bucket ? pace.burst : pace.day;
    meter.value = bucket ? pace.left : pace.dayLeft;
    meter.title = [
        bucket ? fill(text.paceLeft, { left: count(pace.left), burst: count(pace.burst),
                                       waiting: count(pace.waiting) }) : '',
        pace.day > 0 ? fill(text.paceDay, { left: count(pace.dayLeft),
                                            day: count(pace.day) }) : '',
    ].filter(Boolean).join(' ');
    meter.setAttribute('aria-label', meter.title);
}


return { speak, draw, find, group, more, show };

})();
