'use strict';

// Pretended phones for a real server, in its process, loaded by node --require
// before it.  The browser in which the server would open WhatsApp is replaced;
// what the server and its library do with it is theirs.
//
// PRETEND_PHONES: by session, as JSON: number, strangers (numbers that are not
// on WhatsApp), and
//
// state:
//
//   ready      it can send
//   starting   not yet, or not now; messages wait
//   login      it wants a QR code; after ready: logged out by its owner
//   removed    logged out, and the page stays as it is
//   closed     the browser's tab is gone
//
// sends, what becomes of a message:
//
//   sent       it is sent
//   nothing    it is not sent, and no message comes back
//   unsent     it is not sent, and a message comes back that says so
//   error      it is not sent: an error
//   lost       it is sent, and then an error
//   wait       it is sent once "sends" is something else
//
// PRETEND_PORT, on 127.0.0.1: POST /phones changes them in the same form, and
// answers when it is done; GET /phones, GET /sent (session, number, to, text
// or media).

const { EventEmitter, once } = require('events');
const crypto = require('crypto');
const http = require('http');
const net = require('net');

const phones = new Map();
const sent = [];


class Phone extends EventEmitter {
    constructor(session) {
        super();
        this.setMaxListeners(0);
        Object.assign(this, { session, state: 'login', number: null,
                              strangers: [], sends: 'sent' });
    }

    change(what) {
        const before = this.state;

        Object.assign(this, what);
        if (this.state !== before) {
            this.emit('state', this.state, before);
        }
        this.emit('change');
    }

    get wid() {
        return wid(`${this.number}@c.us`);
    }

    knows(chat) {
        return !this.strangers.includes(String(chat).replace(/@.*/, ''));
    }

    // The id of the message and whether it was sent; nothing.
    async send(to, what) {
        while (this.sends === 'wait' || this.state === 'starting') {
            await once(this, 'change');
        }

        if (this.state !== 'ready') {
            throw new Error('Not logged in');
        }
        if (!this.knows(to)) {
            throw new Error('Chat not found');
        }

        const how = this.sends;

        if (how === 'nothing') {
            return undefined;
        }
        if (how === 'error') {
            throw new Error('No LID for user');
        }

        const id = '3EB0'
                   + crypto.randomBytes(9).toString('hex').toUpperCase();

        if (how !== 'unsent') {
            sent.push({ session: this.session, number: this.number, to, id,
                        ...what });
        }
        if (how === 'lost') {
            throw new Error('Execution context was destroyed');
        }

        return { id, sent: how !== 'unsent' };
    }
}


function phone(session) {
    if (!phones.has(session)) {
        phones.set(session, new Phone(session));
    }
    return phones.get(session);
}


function wid(id) {
    const [user, server] = id.split('@');

    if (!user || !server) {
        throw new Error(`wid error: invalid wid: ${id}`);
    }

    return { server, user, _serialized: id, toString: () => id,
             isLid: () => server === 'lid', isUser: () => server === 'c.us',
             isGroup: () => server === 'g.us' };
}


// What the page has and nobody cares for: it can be called, asked and waited
// for, and is nothing.
function any() {
    return new Proxy(function () {}, {
        get: (target, key) => key === 'then' || key === 'toJSON' ? undefined
            : key === Symbol.toPrimitive ? () => ''
                : key === Symbol.iterator ? () => [][Symbol.iterator]()
                    : any(),
        set: () => true,
        apply: () => any(),
        construct: () => any(),
    });
}


// Something that has these, and else what nobody cares for.
function some(known) {
    return new Proxy(known, {
        get: (target, key) => key in target || typeof key === 'symbol'
                              || key === 'then' || key === 'toJSON'
            ? target[key] : any(),
    });
}


// Calls what the page listens with; what goes wrong there stays there.
function tell(listeners, ...args) {
    for (const fn of listeners) {
        (async () => fn(...args))().catch(() => {});
    }
}


// What is evaluated in a page sees the page's window, not this process's.
const compiled = new Map();

function inside(window, source, isText) {
    if (!compiled.has(source)) {
        const body = isText ? 'return eval(source)'
                            : `return (${source}\n)`;
        compiled.set(source, new Function('window', 'source',
                                          `with (window) { ${body} }`));
    }
    return compiled.get(source)(window, source);
}


class Page extends EventEmitter {
    // load() gives a new window
    constructor(browser, load) {
        super();
        this.setMaxListeners(0);
        this.owner = browser;
        this.exposed = {};
        this.open = true;
        this.load = () => {
            const window = load();
            window.window = window;
            this.window = Object.assign(window, this.exposed);
        };
        this.load();
    }

    browser() {
        return this.owner;
    }

    isClosed() {
        return !this.open;
    }

    // As the phone had it: everything is loaded again.
    navigate(url) {
        this.load();
        this.emit('load');
        this.emit('framenavigated', { url: () => url });
    }

    async goto(url) {
        this.navigate(url);
    }

    async close() {
        if (this.open) {
            this.open = false;
            this.emit('close');
        }
    }

    async evaluate(what, ...args) {
        if (!this.open) {
            throw new Error('Protocol error (Runtime.callFunctionOn): '
                            + 'Target closed');
        }

        let value = typeof what === 'function'
            ? inside(this.window, what.toString(), false)(...args)
            : inside(this.window, what, true);

        value = JSON.stringify(await value);
        this.emit('evaluated', what);

        return value === undefined ? undefined : JSON.parse(value);
    }

    async waitForFunction(what, options, ...args) {
        for (;;) {
            const value = await this.evaluate(what, ...args);
            if (value) {
                return { evaluate: async fn => fn(value) };
            }
            await new Promise(resolve => setTimeout(resolve, 50));
        }
    }

    async waitForNavigation() {
        await once(this, 'framenavigated');
    }

    async exposeFunction(name, fn) {
        // what it throws is thrown in the page
        this.exposed[name] = this.window[name] = (...args) => {
            const result = (async () => fn(...args))();
            result.catch(() => {});
            return result;
        };
    }

    async addScriptTag() {}

    async authenticate() {}

    async evaluateOnNewDocument() {}

    async setBypassCSP() {}

    async setRequestInterception() {}

    async setUserAgent() {}
}


class Browser extends EventEmitter {
    constructor(load) {
        super();
        this.page = new Page(this, load);
    }

    async pages() {
        return this.page.open ? [this.page] : [];
    }

    isConnected() {
        return this.page.open;
    }

    process() {
        return null;
    }

    async close() {
        const open = this.page.open;
        await this.page.close();
        if (open) {
            this.emit('disconnected');
        }
    }
}


function answer(res, status, data) {
    res.writeHead(status, { 'Content-Type': 'application/json',
                            Connection: 'close' });
    res.end(JSON.stringify(data));
}


function told() {
    return Object.fromEntries([...phones].map(([session, p]) => [session, {
        state: p.state, number: p.number, strangers: p.strangers,
        sends: p.sends }]));
}


function change(all) {
    for (const [session, what] of Object.entries(all)) {
        phone(session).change(what);
    }
}


const control = http.createServer(async (req, res) => {
    try {
        let body = '';
        for await (const piece of req) {
            body += piece;
        }

        if (req.url === '/phones') {
            if (req.method === 'POST') {
                change(JSON.parse(body));
            }
            answer(res, 200, told());
        } else if (req.url === '/sent') {
            answer(res, 200, sent);
        } else {
            answer(res, 404, {});
        }
    } catch (e) {
        answer(res, 500, { error: e.message });
    }
});


// A server that names no address would be seen by the network.
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function (port, ...rest) {
    return typeof port === 'object' || typeof rest[0] === 'string'
        ? listen.call(this, port, ...rest)
        : listen.call(this, { port: Number(port), host: '127.0.0.1' },
                      ...rest.filter(x => typeof x === 'function'));
};


change(JSON.parse(process.env.PRETEND_PHONES || '{}'));
control.listen(Number(process.env.PRETEND_PORT), '127.0.0.1');

module.exports = { Browser, any, phone, some, tell, wid };
