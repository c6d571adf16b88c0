'use strict';

// What the tests of the dashboard share: TAP, instances, gateways, Debian's
// chromium, and answers of a gateway that is not there.

const { spawn } = require('child_process');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');

const ROOT = path.resolve(__dirname, '../..');
const BUILD = path.join(ROOT, 'build/dashboard');
const { chromium } = require(path.join(BUILD, 'node_modules/playwright-core'));
const AXE = fs.readFileSync(path.join(BUILD, 'node_modules/axe-core/axe.min.js'), 'utf8');

const WAIT = 30000;             // ms, for what has no deadline of its own
const WIDTHS = [360, 1920];
const HOSTILE = '<img src=x onerror=window.hacked=1>';

let tests = 0, failed = 0;
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'wa-dashboard-'));
const running = new Set();


function ok(good, name, why) {
    tests++;

    if (!good) {
        failed++;
    }
    console.log(`${good ? 'ok' : 'not ok'} ${tests} - ${name}`);

    if (!good && why !== undefined) {
        console.log(`# ${String(why).replace(/\n/g, '\n# ')}`);
    }
    return good;
}


function is(got, expected, name) {
    return ok(got === expected, name, `got: ${got}\nexpected: ${expected}`);
}


const sleep = (ms) => new Promise((r) => setTimeout(r, ms));


async function until(code, ms = WAIT) {
    const end = Date.now() + ms;

    for (;;) {
        const r = await code();

        if (r) {
            return r;
        }
        if (Date.now() > end) {
            return null;
        }
        await sleep(25);
    }
}


async function freePort() {
    for (let n = 0; n < 500; n++) {
        const port = 30100 + (process.pid * 7 + n + tests * 31) % 800;
        const free = await new Promise((r) => {
            const s = net.createServer();
            s.once('error', () => r(false));
            s.listen(port, '127.0.0.1', () => s.close(() => r(true)));
        });

        if (free && !freePort.used.has(port)) {
            freePort.used.add(port);
            return port;
        }
    }
    throw new Error('no free port');
}

freePort.used = new Set();


// ---- instances

class Instance {
    constructor(port) {
        this.port = port;
        this.state = 'CONNECTED';
        this.sockets = new Set();
    }

    start() {
        this.server = http.createServer((q, r) => {
            q.resume();
            q.on('end', () => {
                r.setHeader('Content-Type', 'application/json');
                r.end(JSON.stringify({ state: this.state }));
            });
        });
        this.server.on('connection', (s) => {
            this.sockets.add(s);
            s.on('close', () => this.sockets.delete(s));
        });
        return new Promise((r) => this.server.listen(this.port, '127.0.0.1', r));
    }

    stop() {
        const closed = new Promise((r) => this.server.close(r));
        this.sockets.forEach((s) => s.destroy());
        return closed;
    }
}


// ---- gateways

class Gateway {
    constructor(name, port, env) {
        this.dir = path.join(work, name);
        this.port = port;
        fs.mkdirSync(this.dir);
        fs.writeFileSync(`${this.dir}/env`, Object.entries({ PORT: port, ...env })
            .map(([k, v]) => `${k}=${v}\n`).join(''));
    }

    async start() {
        const env = { PATH: process.env.PATH, HOME: work,
                      WA_GATEWAY_ENV: `${this.dir}/env`,
                      WA_GATEWAY_RUNTIME: `${this.dir}/run` };

        this.output = '';
        this.child = spawn(path.join(ROOT, 'bin/wa-gateway'), ['run'], { env });
        running.add(this.child);
        this.ended = new Promise((r) => this.child.once('exit', r));

        for (const s of [this.child.stdout, this.child.stderr]) {
            s.on('data', (d) => { this.output += d; });
        }

        if (!await until(() => /\/dashboard/.test(this.output))) {
            throw new Error(`the gateway did not start: ${this.output}`);
        }
    }

    async stop() {
        this.child.kill('SIGTERM');
        await Promise.race([this.ended, sleep(10000).then(() => {
            this.child.kill('SIGTERM');
            return this.ended;
        })]);
        running.delete(this.child);
    }

    get url() {
        return `http://127.0.0.1:${this.port}/dashboard`;
    }

    send() {
        return new Promise((done) => {
            const q = http.request({ port: this.port, host: '127.0.0.1',
                                     path: '/send-message', method: 'POST',
                                     headers: { 'Content-Length': 2 } },
                                   (r) => { r.resume(); r.on('end', done); });
            q.on('error', done);
            q.end('{}');
        });
    }
}


// ---- the browser

async function browser() {
    const dir = fs.mkdtempSync(path.join(work, 'chromium-'));

    return chromium.launchPersistentContext(dir, {
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        headless: true,
        viewport: { width: 1280, height: 900 },
        args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
               '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync'],
    });
}


// What must never be said: a broken policy, an exception.  What the network
// says of a gateway that is away is asked for.
function watch(page, expected = /ERR_|status of (401|503)/) {
    const said = [];

    page.on('console', (m) => {
        if (m.type() === 'error' && !expected.test(m.text())) {
            said.push(m.text());
        }
    });
    page.on('pageerror', (e) => said.push(e.stack));
    page.on('request', (q) => {
        if (!q.url().startsWith('http://127.0.0.1:')) {
            said.push(`asks ${q.url()}`);
        }
    });
    return said;
}


const text = (page, id) => page.locator(`#${id}`).textContent();
const shown = (page, id) => page.locator(`#${id}`).isVisible();
const chips = (page) => page.locator('#rows .chip').evaluateAll(
    (list) => list.map((e) => e.dataset.state));


async function pictures(page, name) {
    for (const lang of ['ar', 'en']) {
        if (await page.evaluate(() => document.documentElement.lang) !== lang) {
            // also below a dialog
            await page.evaluate(() => document.getElementById('lang').click());
        }

        for (const width of WIDTHS) {
            for (const scheme of ['light', 'dark']) {
                await page.setViewportSize({ width, height: width < 500 ? 740 : 1080 });
                await page.emulateMedia({ colorScheme: scheme });
                await page.screenshot({ fullPage: true,
                    path: path.join(BUILD, `${name}-${lang}-${width}-${scheme}.png`) });

                const [wide, inner] = await page.evaluate(() =>
                    [document.documentElement.scrollWidth, innerWidth]);
                ok(wide <= inner, `${name}: nothing sticks out, ${lang}, ${width}, ${scheme}`,
                   `${wide} > ${inner}: ` + await page.evaluate(() =>
                       [...document.querySelectorAll('body *')].filter((e) => {
                           const b = e.getBoundingClientRect();
                           return b.width > 1 && (b.right > innerWidth || b.left < 0);
                       }).map((e) => e.outerHTML.slice(0, 80)).join(' ')));

                is(await page.locator('tbody td, tbody th').evaluateAll((l) => l.filter((e) =>
                    e.scrollWidth > e.clientWidth + 1).map((e) => e.outerHTML).join('\n')),
                   '', `${name}: no cell runs into the next, ${lang}, ${width}, ${scheme}`);

                const found = await page.evaluate(`${AXE};
                    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] })
                        .then((r) => r.violations.map((v) => v.id + ': '
                              + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join('; ')))`);
                is(found.join('\n'), '', `${name}: axe has nothing to say, ${lang}, ${width}, ${scheme}`);
            }
        }
    }

    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 900 });
}


// ---- a pretended /status

function detail(n, more) {
    return { healthy: true, lastChecked: '2026-01-01T00:00:00.000Z',
             responseTime: 3, state: 'up', reason: null,
             since: '2026-01-01T00:00:00.000Z', weight: 1,
             checks: { passed: 9, failed: 0, consecutiveFailures: 0, lastStatus: 200 },
             requests: { total: 100 + n, inFlight: n % 3, failed: 0, '2xx': 100 + n,
                         '3xx': 0, '4xx': 0, '5xx': 0 },
             latency: { p50: 10 + n % 90, p95: 100, p99: 200 }, ...more };
}


function pretended(details, uptime, events = []) {
    const list = Object.values(details);
    const healthy = list.filter((d) => d.healthy).length;

    return { gateway: { status: 'running', port: 1, uptime,
                        timestamp: new Date(Date.UTC(2026, 0, 2) + uptime * 1000).toISOString(),
                        version: '0.0.0', nginx: '0.0.0', workers: 1, generation: 0 },
             instances: { total: list.length, healthy,
                          unhealthy: list.length - healthy, details },
             loadBalancer: { algorithm: 'round-robin', currentIndex: 0 }, events };
}


function serve(page, make) {
    const began = Date.now();

    return page.route('**/status', (route) => route.fulfill({
        contentType: 'application/json',
        body: JSON.stringify(make(100 + (Date.now() - began) / 1000)) }));
}


// Runs the tests to their end and tells how it was.
function run(main) {
    main().catch((e) => {
        ok(false, 'it ran to its end', e.stack);
    }).then(() => {
        for (const child of running) {
            child.kill('SIGTERM');
        }
        fs.rmSync(work, { recursive: true, force: true, maxRetries: 5 });

        console.log(`1..${tests}`);
        process.exit(failed ? 1 : 0);
    });
}


module.exports = { ROOT, HOSTILE, Gateway, Instance, browser, chips, detail,
                   freePort, is, ok, pictures, pretended, run, serve, shown,
                   sleep, text, until, watch };
