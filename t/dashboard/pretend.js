'use strict';

// A gateway that is not there: serves html/ as nginx would, /status and
// /sessions as a test wants them, and notes what was asked.

const fs = require('fs');
const http = require('http');
const path = require('path');
const { ROOT, detail, pretended } = require('./lib.js');

const POLICY = fs.readFileSync(path.join(ROOT, 'conf/wa_gateway.conf.template'), 'utf8')
    .match(/Content-Security-Policy "([^"]+)"/)[1];
const TYPES = { html: 'text/html', css: 'text/css', svg: 'image/svg+xml',
                js: 'text/javascript' };


class Pretend {
    constructor(port) {
        this.port = port;
        this.began = Date.now();
        this.instances = [];            // names
        this.sessions = [];
        this.events = [];
        this.capacity = 10000;
        this.key = '';                  // what it wants
        this.vendor = true;             // false: as before there were sessions
        this.store = null;              // of /status
        this.answer = null;             // [status, body] instead of sessions
        this.asked = [];                // query strings of /sessions
        this.keys = [];                 // what came with them
    }

    start() {
        this.server = http.createServer((q, r) => this.serve(q, r));
        return new Promise((r) => this.server.listen(this.port, '127.0.0.1', r));
    }

    stop() {
        const closed = new Promise((r) => this.server.close(r));
        this.server.closeAllConnections();
        return closed;
    }

    get url() {
        return `http://127.0.0.1:${this.port}/dashboard`;
    }

    add(instance, session, state, number, more) {
        if (!this.instances.includes(instance)) {
            this.instances.push(instance);
        }

        const s = { session, number, instance, vendor: 'waha', state,
                    vendorState: 'open', reason: null,
                    since: '2026-01-01T00:00:00.000Z',
                    lastSeen: '2026-01-02T00:00:00.000Z',
                    messages: { sent: 0, failed: 0, unknown: 0 },
                    lastSent: null, ...more };

        this.sessions.push(s);
        return s;
    }

    event(s, from, to, reason = null) {
        this.events.push({ time: new Date(Date.UTC(2026, 0, 2) + this.events.length).toISOString(),
                           instance: s.instance, session: s.session,
                           number: s.number, from, to, reason });
    }

    // a session gets another state, as the gateway sees it
    turn(s, state, vendorState, reason = null) {
        this.event(s, s.state, state, reason);
        Object.assign(s, { state, vendorState,
                           reason: state === 'down' ? reason : null,
                           since: '2026-01-02T00:00:00.000Z' });
    }

    count(list) {
        return { total: list.length,
                 ready: list.filter((s) => s.state === 'ready').length };
    }

    status() {
        const details = {};
        const counts = new Map(this.instances.map((n) => [n, { total: 0, ready: 0 }]));

        for (const s of this.sessions) {
            counts.get(s.instance).total++;
            counts.get(s.instance).ready += s.state === 'ready' ? 1 : 0;
        }

        for (const [name, own] of counts) {
            details[name] = this.vendor
                ? detail(1, { vendor: 'waha', sessions: own, healthy: own.ready > 0 })
                : detail(1);
        }

        const status = pretended(details, 100 + (Date.now() - this.began) / 1000,
                                 this.events);

        if (this.vendor) {
            status.sessions = { ...this.count(this.sessions), capacity: this.capacity };
        }
        if (this.store) {
            status.store = this.store;
        }
        return [200, status];
    }

    list(query) {
        if (this.answer) {
            return this.answer;
        }

        const limit = Number(query.get('limit') || 1000);
        const offset = Number(query.get('offset') || 0);

        if (!(limit >= 1 && limit <= 10000) || !(offset >= 0)) {
            return [400, { success: false, error: '', code: 'bad_request', details: '' }];
        }

        const found = this.sessions.filter((s) =>
            ['session', 'number', 'instance', 'state'].every((k) =>
                !query.has(k) || query.get(k) === s[k]));

        found.sort((a, b) =>
            this.instances.indexOf(a.instance) - this.instances.indexOf(b.instance)
            || (a.session < b.session ? -1 : 1));

        return [200, { sessions: found.slice(offset, offset + limit),
                       ...this.count(found),
                       timestamp: '2026-01-02T00:00:00.000Z' }];
    }

    serve(q, r) {
        const url = new URL(q.url, 'http://127.0.0.1');
        const secret = Buffer.from(q.headers['x-api-key'] || '', 'latin1').toString();
        const json = ([status, body]) => {
            r.writeHead(status, { 'Content-Type': 'application/json' });
            r.end(typeof body === 'string' ? body : JSON.stringify(body));
        };

        if (url.pathname === '/status' || url.pathname === '/sessions') {
            if (url.pathname === '/sessions') {
                this.asked.push(url.search);
                this.keys.push(secret);
            }

            json(this.key && secret !== this.key ? [401, {}]
                 : url.pathname === '/status' ? this.status()
                 : this.list(url.searchParams));
            return;
        }

        // nobody here has the admin key
        if (url.pathname === '/gateway/instances') {
            json([401, { code: 'unauthorized' }]);
            return;
        }

        const name = url.pathname === '/dashboard' ? 'dashboard.html'
                   : path.basename(url.pathname);
        const file = path.join(ROOT, 'html', name);

        if (!fs.existsSync(file)) {
            r.writeHead(404);
            r.end();
            return;
        }

        r.writeHead(200, { 'Content-Type': `${TYPES[name.split('.').pop()]}; charset=utf-8`,
                           'Content-Security-Policy': POLICY });
        r.end(fs.readFileSync(file));
    }
}


module.exports = { Pretend };
