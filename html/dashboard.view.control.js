'use strict';

// The dialogs that change instances: each asks first where something stops,
// and says what came of it.

const controlView = (function () {

const { $, fill, setText } = parts;

// what is said of a refusal; else its own words
const CODES = {
    unauthorized: 'saysKey', exists: 'saysExists',
    unknown_instance: 'saysUnknown', no_slot: 'saysRoom',
    disk_full: 'saysDisk', not_kept: 'saysKept', gone: 'saysGone',
    odd: 'saysOdd',
};

const ACTIONS = {
    up: { done: 'doneUp', run: (name) => control.change(name, { state: 'up' }) },
    drain: { sure: 'sureDrain', done: 'doneDrain',
             run: (name) => control.change(name, { state: 'drain' }) },
    down: { sure: 'sureDown', done: 'doneDown',
            run: (name) => control.change(name, { state: 'down' }) },
    weight: { done: 'doneWeight', run: (name) =>
        control.change(name, { weight: Number($('manage-weight').value) }) },
    remove: { sure: 'sureRemove', done: 'doneRemove', run: control.remove },
};

let text;
let name = '';                  // of the instance that is managed
let wanted = '';                // the action that waits for a yes
let changed;                    // called when something was
let unlocked;                   // called with a key that is good


function start(whenChanged, whenUnlocked) {
    changed = whenChanged;
    unlocked = whenUnlocked;

    for (const action of Object.keys(ACTIONS)) {
        if (action !== 'weight') {
            $(`manage-${action}`).addEventListener('click', () => choose(action));
        }
    }

    submits('manage-form', () => choose('weight'));
    submits('add-form', add);
    submits('admin-form', unlock);

    $('manage-yes').addEventListener('click', () => run(wanted));
    $('manage-no').addEventListener('click', () => {
        const asked = wanted;

        confirm('');
        $(`manage-${asked}`).focus();
    });

    for (const id of ['manage', 'add', 'admin']) {
        $(`${id}-close`).addEventListener('click', () => $(id).close());
    }
}


function submits(id, what) {
    $(id).addEventListener('submit', (e) => {
        e.preventDefault();
        what();
    });
}


function speak() {
    text = parts.text;
    confirm('');

    for (const id of ['manage', 'add', 'admin']) {
        say(id, '');
    }
}


function draw() {
    const { mode, status } = gateway;

    $('add-open').hidden = !control.allowed;
    $('admin-open').hidden = control.allowed || !status || mode === 'key';
}


// ---- one that is there

function open(instance) {
    const i = gateway.get(instance);

    name = instance;
    setText($('manage-title').firstElementChild, name);
    $('manage-weight').value = i ? i.d.weight : 1;
    confirm('');
    say('manage', '');
    $('manage').showModal();
}


function choose(action) {
    say('manage', '');

    if (ACTIONS[action].sure) {
        confirm(action);
        $('manage-no').focus();
        return;
    }

    confirm('');
    run(action);
}


function confirm(action) {
    wanted = action;
    $('manage-sure').hidden = !action;
    setText($('manage-question'), action ? text[ACTIONS[action].sure] : '');
}


async function run(action) {
    confirm('');

    if (await asked('manage', () => ACTIONS[action].run(name))) {
        say('manage', text[ACTIONS[action].done]);
        changed();
    }

    $(action === 'weight' ? 'manage-weight' : `manage-${action}`).focus();
}


// ---- a new one

function openAdd() {
    $('add-form').reset();
    say('add', '');
    $('add').showModal();
}


async function add() {
    const body = { url: $('add-url').value.trim(),
                   weight: Number($('add-weight').value) };

    for (const member of ['vendor', 'key']) {
        const value = $(`add-${member}`).value;

        if (value) {
            body[member] = value;
        }
    }

    if (await asked('add', () => control.add(body))) {
        $('add-form').reset();
        say('add', fill(text.doneAdd, { instance: body.url }));
        changed();
    }

    $('add-url').focus();
}


// ---- who may

function openAdmin() {
    $('admin-form').reset();
    say('admin', '');
    $('admin').showModal();
}


async function unlock() {
    const key = $('admin-key').value;

    busy('admin', true);

    const code = await control.unlock(key);

    busy('admin', false);

    if (code) {
        say('admin', text[CODES[code]] || code, true);
        $('admin-key').select();
        return;
    }

    $('admin-form').reset();
    $('admin').close();
    unlocked(key);
}


// ---- what comes of it

// Whether it was done; what went wrong is said.
async function asked(id, what) {
    busy(id, true);

    const result = await what();

    busy(id, false);

    if (!result.good) {
        say(id, result.code in CODES
                ? fill(text[CODES[result.code]], { what: result.details })
                : result.details || result.code, true);
    }

    return result.good;
}


function busy(id, is) {
    for (const e of $(id).querySelectorAll('button, input')) {
        e.disabled = is && !e.id.endsWith('-close');
    }
}


function say(id, what, bad = false) {
    setText($(`${id}-says`), what);
    $(`${id}-says`).classList.toggle('bad', bad);
}


return { start, speak, draw, open, openAdd, openAdmin };

})();
