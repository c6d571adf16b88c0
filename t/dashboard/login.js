'use strict';

// Sessions are logged in, started and tried out in a browser: of all six
// pretended servers, and of the real ones that are there (t/vendors/run).

const path = require('path');
const readline = require('readline');
const { spawn } = require('child_process');
const { ROOT, Gateway, browser, freePort, is, ok, pictures, run, shown, text,
        until, watch } = require('./lib.js');

const ADMIN = 'admin-secret';
const FAKES = ['waha', 'evolution', 'wwebjs', 'wppconnect', 'gowa', 'wuzapi'];
const REAL = [['wwebjs', 'WWEBJS_API'], ['wppconnect', 'WPPCONNECT_SERVER']]
    .filter(([, from]) => process.env[from]).map(([vendor]) => `real:${vendor}`);

// a lost message is looked for in what was sent
const TO = '966551234567';

const focused = (page) => page.evaluate(() => document.activeElement.id);


class Servers {
    async start(names) {
        this.child = spawn(path.join(ROOT, 't/dashboard/servers'), names,
                           { stdio: ['pipe', 'pipe', 'inherit'] });
        this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
        return this.next();
    }

    async next() {
        const { value, done } = await this.lines.next();

        if (done) {
            throw new Error('the servers have ended');
        }
        return JSON.parse(value);
    }

    // one at a time
    async call(...command) {
        this.child.stdin.write(`${JSON.stringify(command)}\n`);

        const { got, error } = await this.next();

        if (error) {
            throw new Error(error);
        }
        return got;
    }

    stop() {
        this.child.kill('SIGTERM');
    }
}


const row = (page, session) => page.locator('#groups tbody tr:not(.head)', {
    has: page.locator('.called', { hasText: new RegExp(`^${session}$`) }) });

const says = (page, id, re, name) => until(async () =>
    re.test(await text(page, `${id}-says`))).then(async (good) =>
    ok(good, name, `${await text(page, `${id}-says`)} ${re}`));

// What the canvas shows, as a number: 0 is nothing.
const picture = (page) => page.evaluate(() => {
    const canvas = document.getElementById('login-image');

    if (canvas.hidden || !canvas.width) {
        return 0;
    }

    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const dots = data.filter((v, n) => n % 4 === 0);
    const dark = dots.filter((v) => v < 128).length;

    return dark > 100 && dark < dots.length - 100
        ? dots.reduce((sum, v) => (sum * 31 + v) % 1000003, 1) + 1 : 0;
});


// By the keyboard: the button of a session's row.
async function press(page, session, which) {
    const button = row(page, session).locator('.manage').nth(which);

    ok(await until(() => button.isVisible()), `${session}: it has a button`);
    await button.focus();
    await page.keyboard.press('Enter');
}


async function logsIn(page, servers, name, session) {
    await press(page, session, 0);
    ok(await shown(page, 'login'), `${session}: its dialog`);
    is(await focused(page), 'login-close', `${session}: with the focus`);
    is(await text(page, 'login-name'), session, `${session}: whose it is`);
    ok(await until(async () => await picture(page) > 0), `${session}: a code is shown`,
       await text(page, 'login-says'));
    await says(page, 'login', /^ظهر الرمز/, `${session}: and told`);

    // the phone has scanned it

    await servers.call(name, name.startsWith('real:') ? 'phone' : 'session', session,
                       'state', 'ready', 'number', '966590000001');
    await says(page, 'login', /^الجلسة جاهزة/, `${session}: it is ready`);
    ok(!await shown(page, 'login-image'), `${session}: no code any more`);
    await page.keyboard.press('Escape');
    ok(!await shown(page, 'login'), `${session}: Escape closes it`);
    ok(await until(() => row(page, session).locator('.chip[data-state="ready"]').isVisible()),
       `${session}: its row has it`);
    ok(await until(() => row(page, session).locator('.manage').nth(1)
        .evaluate((e) => e === document.activeElement)), `${session}: where the focus is`);
}


async function sends(page, servers, name, session) {
    const keys = [];
    const note = (q) => { if (/send-message/.test(q.url())) { keys.push(q.headers()['idempotency-key']); } };

    page.on('request', note);
    await press(page, session, 1);
    is(await focused(page), 'trial-to', `${session}: the focus is where the number goes`);
    await page.fill('#trial-to', `+${TO}`);
    await page.keyboard.press('Enter');
    ok(await shown(page, 'trial-sure'), `${session}: it is asked for`);
    ok((await text(page, 'trial-question')).includes(`+${TO}`), `${session}: with the number`);
    is(await focused(page), 'trial-no', `${session}: the focus is at the no`);
    await page.keyboard.press('Enter');
    is(`${await shown(page, 'trial-sure')} ${await focused(page)} ${keys.length}`, 'false trial-send 0',
       `${session}: no sends nothing`);

    await page.keyboard.press('Enter');
    await page.focus('#trial-yes');
    await page.keyboard.press('Enter');
    await says(page, 'trial', /^أُرسلت/, `${session}: yes sends it`);
    ok(await page.locator('#trial-send').isDisabled(), `${session}: once`);
    await page.focus('#trial-to');
    await page.keyboard.press('Enter');
    ok(!await shown(page, 'trial-sure'), `${session}: not again`);
    ok(/^"[0-9a-f]{32}"$/.test(keys[0]) && keys.length === 1, `${session}: with a key`, keys.join());

    const sent = (await servers.call(name, 'sent')).filter((m) => m.session === session);
    // those that are pretended have bytes
    const letters = (t) => (name.startsWith('real:') ? t : Buffer.from(t, 'latin1').toString());

    is(sent.map((m) => `${m.to.replace(/@.*/, '')} ${letters(m.text)}`).join(), `${TO} رسالة تجربة من البوابة`,
       `${session}: the server sent it`);

    await page.fill('#trial-text', 'أخرى');
    ok(await page.locator('#trial-send').isEnabled(), `${session}: another text is another message`);
    is(await text(page, 'trial-says'), '', `${session}: of which nothing is said`);
    await page.keyboard.press('Escape');
    is(await page.evaluate(() => document.activeElement.className), 'manage', `${session}: the focus is back`);
    page.off('request', note);
}


async function main() {
    const servers = new Servers();
    const names = [...FAKES, ...REAL];
    const where = await servers.start(names);
    const keys = path.join(process.cwd(), 'build/dashboard', `keys.${process.pid}`);

    require('fs').writeFileSync(keys, names.map((n) => `${where[n].url} ${where[n].key}\n`).join(''), { mode: 0o600 });

    const gateway = new Gateway('login', await freePort(), {
        INSTANCES: names.map((n) => `${where[n].vendor}+${where[n].url}`).join(),
        VENDOR_KEY_FILE: keys, HEALTH_CHECK_INTERVAL: 1000, WORKERS: 2, ADMIN_KEY: ADMIN });

    await gateway.start();

    const context = await browser();
    const page = context.pages()[0] || await context.newPage();
    const said = watch(page, /ERR_|status of (400|401|404|409|422|501|502|503)/);
    const heard = [];

    page.on('response', async (r) => heard.push(await r.text().catch(() => '')));
    await page.goto(gateway.url);
    ok(await until(async () => await page.locator('#groups .called').count() >= names.length * 2),
       'the sessions are there');
    is(await page.locator('#groups .manage:visible').count(), 0, 'without the admin key they have no buttons');

    await page.click('#admin-open');
    await page.fill('#admin-key', ADMIN);
    await page.keyboard.press('Enter');
    ok(await until(async () => await page.locator('#groups .manage:visible').count() > 0), 'with it they have');

    for (const name of names) {
        const session = name.replace(':', '-');

        is(await row(page, `${session}-in`).locator('.manage').nth(0).getAttribute('aria-label'),
           `تسجيل دخول الجلسة \u2068${session}-in\u2069`, `${session}: a button tells whose it is`);
        await logsIn(page, servers, name, `${session}-in`);
        await sends(page, servers, name, `${session}-up`);
    }

    // a new one by itself

    await servers.call('waha', 'session', 'again', 'state', 'login');
    await press(page, 'again', 0);
    ok(await until(async () => await picture(page) > 0), 'a code');

    const first = await picture(page);

    ok(await until(async () => { const now = await picture(page); return now > 0 && now !== first; }),
       'is another one after a while');

    // no image, and no page of the server's

    for (const [mode, re] of [['body:<script>alert(1)</script>', /^لا رمز بعد/], ['status:500', /^لم يتمّ ذلك: خطأ في الخادم/],
                              ['html', /^لا رمز بعد/], ['close', /^لم يتمّ ذلك: أغلق/]])
    {
        await servers.call('waha', 'misbehave', 'login', mode);
        await says(page, 'login', re, `${mode}: is told`);
        ok(!await shown(page, 'login-image'), `${mode}: no code is shown`);
        is(await page.locator('#login script, #login svg, #login img').count(), 0, `${mode}: nor anything else`);
    }

    await servers.call('waha', 'misbehave', 'login', '');
    await says(page, 'login', /^ظهر الرمز/, 'it comes back by itself');
    await pictures(page, 'login');
    is(await page.evaluate(() => document.documentElement.lang), 'en', 'in English');
    await says(page, 'login', /^The code is shown/, 'the words follow');
    ok(!/[\u0600-\u06ff]/.test(await page.locator('#login').innerText()), 'no Arabic is left in it');

    const asked = (await servers.call('waha', 'ledger', '/auth/qr'))[0] ? 1 : 0;

    ok(asked, 'the server was asked');
    await page.click('#login-close');

    // a code to type

    await servers.call('evolution', 'session', 'typed', 'state', 'login');
    await servers.call('evolution', 'misbehave', 'login', 'body:{"pairingCode":"WZYEH1YY"}');
    await press(page, 'typed', 0);
    ok(await until(async () => await shown(page, 'login-typed') && await text(page, 'login-code') === 'WZYEH1YY'),
       'a code to type is shown');
    ok(!await shown(page, 'login-image'), 'without an image');
    await servers.call('evolution', 'misbehave', 'login', '');
    await page.keyboard.press('Escape');

    // one that is not running is started

    for (const session of ['waha-off', 'wppconnect-off', 'gowa-off', 'wuzapi-off']) {
        await press(page, session, 0);
        await says(page, 'login', /^The session is not running/, `${session}: is not running`);
        ok(!await shown(page, 'login-image'), `${session}: has no code`);
        await page.focus('#login-start');
        await page.keyboard.press('Enter');
        ok(await until(async () => await picture(page) > 0), `${session}: has one once it is started`,
           await text(page, 'login-says'));
        ok(!await shown(page, 'login-actions'), `${session}: nothing is left to start`);
        await page.keyboard.press('Escape');
    }

    await servers.call('waha', 'session', 'stuck', 'state', 'stopped');
    await servers.call('waha', 'misbehave', 'login', 'status:500');
    await press(page, 'stuck', 0);
    await page.click('#login-start');
    await says(page, 'login', /^It was not done: An error of its own/, 'one that does not start says why');
    is(await focused(page), 'login-start', 'and can be tried again');
    await servers.call('waha', 'misbehave', 'login', '');
    await page.keyboard.press('Escape');

    // messages that are not sent, or nobody knows

    const up = async (re, name, how) => {
        await servers.call('waha', 'session', 'waha-up', ...how);
        await page.focus('#trial-send');
        await page.keyboard.press('Enter');
        await page.click('#trial-yes');
        await says(page, 'trial', re, name);
        is(await page.locator('#trial-says').getAttribute('class'), 'says bad', `${name}: as an error`);
    };

    await press(page, 'waha-up', 1);
    await page.fill('#trial-to', '12');
    await up(/^It was not sent: \u2066?chatId/, 'a bad number', ['send', '']);
    await page.fill('#trial-to', TO);
    await up(/^The session is not ready/, 'not connected', ['send', 'not_connected']);

    const before = (await servers.call('waha', 'sent')).length;

    await page.fill('#trial-text', 'lost');
    await up(/^Whether it was sent is not known/, 'no answer that proves it', ['send', 'no_id']);
    await up(/^Whether it was sent is not known/, 'pressed again', ['send', '']);
    is((await servers.call('waha', 'sent')).length, before + 1, 'it was sent once');
    await pictures(page, 'trial');
    await page.fill('#trial-text', 'and a question');
    await page.focus('#trial-send');
    await page.keyboard.press('Enter');
    ok(await shown(page, 'trial-sure'), 'with its question');
    await pictures(page, 'trial-sure');
    await page.keyboard.press('Escape');

    // nobody answers

    await press(page, 'again', 0);
    ok(await until(async () => await picture(page) > 0), 'a code once more');
    await gateway.stop();
    await says(page, 'login', /^The gateway does not answer/, 'a gateway that is gone is told');
    ok(!await shown(page, 'login-image'), 'and its code is void');
    await gateway.start();
    ok(await until(async () => await picture(page) > 0), 'it is back');
    await page.click('#login-close');
    await page.click('#forget');
    ok(await until(async () => await page.locator('#groups .manage:visible').count() === 0),
       'without the key the buttons are gone');

    is(heard.filter((t) => /"secret"|admin:secret|YWRtaW46/.test(t)).join('\n'), '', 'no server’s key came here');
    is(said.join('\n'), '', 'the browser has nothing to complain about');

    await context.close();
    await gateway.stop();
    servers.stop();
    require('fs').rmSync(keys);
}


run(main);
