'use strict';

// What the page is made of: words and numbers in a language, and the small
// pieces that its tables and lists share.  What comes from instances (names,
// reasons) is put in as text, never markup.

const parts = (function () {

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
    ready: [['circle', { cx: 10, cy: 10, r: 9, fill: 'currentColor' }],
            ['path', { d: 'M5.5 10.5l3 3 6-6.5', class: 'cut' }]],
    starting: [['circle', { cx: 10, cy: 10, r: 7.5, class: 'line' }],
               ['path', { d: 'M10 5.5V10l3 2.5', class: 'line' }]],
    login: [['path', { d: 'M2 2h6v6H2zM12 2h6v6h-6zM2 12h6v6H2z', class: 'line' }],
            ['path', { d: 'M12 12h2.5v2.5H12zM15.5 15.5H18V18h-2.5z', fill: 'currentColor' }]],
    new: [['path', { d: 'M10 2v16M2 10h16', class: 'line' }]],
    forgotten: [['path', { d: 'M2 10h16', class: 'line' }]],
    warn: [['path', { d: 'M10 1l9.5 17.5H.5z', fill: 'currentColor' }],
           ['path', { d: 'M10 7.5v5M10 15v.6', class: 'cut' }]],
    gone: [['path', { d: 'M6.5 13.5a4 4 0 0 1 0-7M13.5 6.5a4 4 0 0 1 0 7M3 18L17 2', class: 'line' }]],
    key: [['circle', { cx: 6.5, cy: 13.5, r: 4.5, class: 'line' }],
          ['path', { d: 'M10 10l8-8M14 6l3 3', class: 'line' }]],
    dot: [['circle', { cx: 10, cy: 10, r: 5, fill: 'currentColor' }]],
    open: [['path', { d: 'M4 7l6 6 6-6', class: 'line' }]],
    arrow: [['path', { d: 'M2 10h15M11.5 4.5L17 10l-5.5 5.5', class: 'line' }]],
};

// the words of states; what is new and what is gone are in events only

const WORDS = {
    instance: new Map([['up', 'up'], ['slow_start', 'slow_start'],
                       ['checking', 'checking'], ['draining', 'draining'],
                       ['down', 'down'], ['new', 'instanceNew'],
                       ['forgotten', 'instanceGone']]),
    session: new Map([['ready', 'sessionReady'], ['starting', 'sessionStarting'],
                      ['login', 'sessionLogin'], ['down', 'sessionDown'],
                      ['new', 'sessionNew'], ['forgotten', 'sessionForgotten']]),
};

const $ = (id) => document.getElementById(id);

let text, locale, number, share, sliver, clock, moment, ago, plural;


// ---- words

function use(lang) {
    locale = lang === 'ar' ? 'ar-u-nu-latn' : 'en-GB';
    text = TEXTS[lang];

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
    plural = new Intl.PluralRules(locale);

    return text;
}


function word(kind, state) {
    return WORDS[kind].has(state) ? text[WORDS[kind].get(state)] : state;
}


// "3 sessions, 2 ready"
function tally({ total, ready }) {
    return fill(text.tally, { ready: number.format(ready),
        size: fill(text[`sessions_${plural.select(total)}`],
                   { total: number.format(total) }) });
}


const count = (n) => number.format(n);
const percent = (part) => share.format(part);
const time = (date) => clock.format(date);


function fill(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (all, name) => values[name]);
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


// The name of an instance, and a number, are read from left to right.
function label(name) {
    const e = element('bdi', name.length <= 32 ? 'name short' : 'name', name);

    e.dir = 'ltr';
    return e;
}


// A session's name may be in any language.
function nameOf(session) {
    const e = element('bdi', 'called', session);

    e.dir = 'auto';
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


function chip(state, kind = 'instance') {
    const e = element('span', 'chip');

    setChip(e, state, kind);
    return e;
}


function setChip(e, state, kind = 'instance') {
    if (e.dataset.state !== state) {
        const known = WORDS[kind].has(state);

        e.dataset.state = state;
        e.classList.toggle('odd', !known);
        e.replaceChildren(element('span', 'icon'),
                          element('span', '', word(kind, state)));
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


function options(select, keys) {
    const value = select.value || keys[0];

    select.replaceChildren(...keys.map((k) => {
        const o = element('option', '', text[k]);
        o.value = k;
        return o;
    }));
    select.value = value;
}


// What is there stays where it is, so that it keeps the focus.
function place(box, n, e) {
    if (box.children[n] !== e) {
        box.insertBefore(e, box.children[n] || null);
    }
}


// Buttons of states with how many are in each: pressed, one is the filter.
function filters(box, states, kind, counts, wanted, pick) {
    for (const state of states) {
        let b = box.querySelector(`button[data-state="${state}"]`);

        if (!b) {
            b = element('button');
            b.type = 'button';
            b.dataset.state = state;
            b.append(element('span', 'icon'),
                     element('span', '', word(kind, state)), element('strong'));
            b.firstChild.append(icon(state));
            b.addEventListener('click', () => pick(state));
            box.append(b);
        }

        b.hidden = !counts[state] && wanted !== state;
        b.setAttribute('aria-pressed', String(wanted === state));
        setText(b.lastChild, count(counts[state] || 0));
    }
}


return {
    $, use, word, tally, count, percent, portion, time, duration, howLongAgo,
    explain, fill, element, label, nameOf, shape, icon, setText, setIcon, chip,
    setChip, setTime, options, place, filters,

    get text() { return text; },
};

})();
