'use strict';

// The dashboard in a browser: a gateway of bin/wa-gateway, instances that are
// killed and lie.  Prints TAP; screenshots go to build/dashboard.  Run by
// `make dashboard-test`.

const { HOSTILE, Gateway, Instance, browser, chips, detail, freePort, is, ok,
        pictures, pretended, run, serve, shown, sleep, text, until,
        watch } = require('./lib.js');


// ---- the tests

async function main() {
    const instances = [];

    for (let n = 0; n < 3; n++) {
        instances.push(new Instance(await freePort()));
        await instances[n].start();
    }

    const urls = instances.map((i) => `http://127.0.0.1:${i.port}`);
    const settings = { INSTANCES: urls.join(','), HEALTH_CHECK_INTERVAL: 1000,
                       HEALTH_CHECK_JSON: '$.state=CONNECTED', WORKERS: 2 };
    const gateway = new Gateway('plain', await freePort(), settings);
    const locked = new Gateway('locked', await freePort(),
                               { ...settings, API_KEY: 'مفتاح-secret' });

    await gateway.start();
    await locked.start();

    const context = await browser();
    const page = context.pages()[0] || await context.newPage();
    const said = watch(page);
    const loaded = await page.goto(gateway.url);

    // languages

    is(loaded.status(), 200, 'the page is served');
    ok(/default-src 'none'/.test(loaded.headers()['content-security-policy']), 'with a policy');
    ok(await until(() => shown(page, 'data')), 'it shows data');
    is(await page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dir}`),
       'ar rtl', 'Arabic, from right to left, at first');
    is((await chips(page)).join(), 'up,up,up', 'three rows, all up');
    ok(/^\(3\/3\) /.test(await page.title()), 'the title counts');
    ok(!await shown(page, 'banner'), 'no banner');
    is(await page.locator('[data-t]').evaluateAll((l) => l.filter((e) => !e.textContent.trim()).length),
       0, 'nothing is left without words');

    await page.keyboard.press('Tab');
    is(await page.evaluate(() => document.activeElement.className), 'skip', 'Tab: first the way past the top');
    await page.keyboard.press('Enter');
    is(await page.evaluate(() => document.activeElement.id), 'instances', 'Enter: to the table');

    await page.focus('#lang');
    await page.keyboard.press('Enter');
    is(await page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dir}`),
       'en ltr', 'English by the switch, from the keyboard');
    is(await page.evaluate(() => document.activeElement.id), 'lang', 'which keeps the focus');
    await page.reload();
    ok(await until(() => shown(page, 'data')), 'loaded again');
    is(await page.evaluate(() => document.documentElement.lang), 'en', 'the switch is remembered');
    ok(!/[\u0600-\u06ff]/.test((await page.locator('body').innerText()).replace('العربية', '')),
       'no Arabic is left in it');
    await page.click('#lang');
    is((await page.locator('main').innerText()).match(/\b(the|instance|request|state)\b/i), null,
       'nor English in the Arabic one');

    // traffic

    for (let n = 0; n < 60; n++) {
        await gateway.send();
    }
    ok(await until(async () => /^(60|6\d)$/.test(await text(page, 'total-requests'))), 'requests are counted');
    is(await page.locator('#shares li').count(), 3, 'three bars');
    ok(await until(async () => (await page.locator('#shares .value').allTextContents())
        .every((s) => /^33\.3/.test(s))), 'of a third each');
    ok(await until(async () => await page.locator('#rows .spark .curve').count() === 3), 'three curves');

    // an instance is killed

    await instances[1].stop();
    const died = Date.now();
    const down = await until(async () => (await chips(page))[0] === 'down', 10000);
    const took = Date.now() - died;
    ok(down && took < 3000, `a killed instance is seen down within 3 s (${took} ms)`, took);
    is(await page.locator('#rows .name').first().textContent(), urls[1], 'its row is first');
    ok(/ECONNREFUSED/.test(await page.locator('#rows .raw').first().textContent()), 'with the reason');
    ok(/[\u0600-\u06ff]/.test(await page.locator('#rows .reason').first().textContent()), 'in Arabic too');
    ok((await text(page, 'news')).includes(urls[1]), 'it is announced');
    is(await page.locator('#events li').count(), 1, 'and among the events');
    is(await page.locator('#verdict').getAttribute('data-kind'), 'warn', 'the verdict warns');

    // another lies, in markup

    instances[2].state = HOSTILE;
    ok(await until(async () => (await chips(page)).filter((s) => s === 'down').length === 2),
       'an instance with a hostile state is down');
    ok((await page.locator('#rows').innerText()).includes('<img src=x'), 'what it said is shown as text');
    is(await page.locator('#rows img, #events img').count(), 0, 'and makes no element');
    is(await page.evaluate(() => window.hacked), undefined, 'and runs nothing');

    await pictures(page, 'some');
    await page.click('#lang');

    // none is left

    instances[0].state = 'SCAN_QR_CODE';
    ok(await until(() => shown(page, 'banner')), 'none available: a banner');
    is(await page.locator('#banner').getAttribute('role'), 'alert', 'that is an alert');
    ok(/لا خادم/.test(await text(page, 'banner-title')), 'and says so');
    await pictures(page, 'none');
    await page.click('#lang');

    instances[0].state = instances[2].state = 'CONNECTED';
    await instances[1].start();
    ok(await until(async () => (await chips(page)).join() === 'up,up,up'), 'all are back');
    ok(!await shown(page, 'banner'), 'and the banner is gone');

    // the gateway is stopped

    const asked = [];
    page.on('request', (q) => { if (/\/status$/.test(q.url())) { asked.push(Date.now()); } });

    await gateway.stop();
    asked.length = 0;
    ok(await until(() => shown(page, 'banner'), 6000), 'the gateway is stopped: a banner');
    ok(/البوابة لا تردّ/.test(await text(page, 'banner-title')), 'that says so');
    ok(await shown(page, 'retry'), 'with a button');
    is(await page.locator('#rows tr').count(), 3, 'what was known last stays');
    ok(/^\(!\) /.test(await page.title()), 'the title tells');
    await pictures(page, 'gone');
    await page.click('#lang');

    await until(() => asked.length >= 5, 60000);
    const gaps = asked.slice(1).map((t, n) => t - asked[n]);
    ok(gaps.length >= 4 && gaps.slice(1).every((g, n) => g > gaps[n] * 0.9)
       && gaps[3] > 10000 && gaps.every((g) => g < 33000), `it asks less and less often (${gaps})`);

    await gateway.start();
    await page.click('#retry');
    ok(await until(async () => !await shown(page, 'banner')), 'it is back: the banner is gone');
    ok(await until(async () => (await chips(page)).join() === 'up,up,up'), 'and the rows are right');

    // hidden

    const hide = (hidden) => page.evaluate((h) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => h });
        document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);

    await hide(true);
    await sleep(500);
    asked.length = 0;
    await sleep(5000);
    is(asked.length, 0, 'nothing is asked while the page is hidden');
    await hide(false);
    ok(await until(() => asked.length > 0, 1000), 'and at once when it is seen again');

    asked.length = 0;
    await sleep(9000);
    ok(asked.length >= 3 && asked.length <= 5, `every 2 s (${asked.length} in 9 s)`);
    is(said.join('\n'), '', 'the browser has nothing to complain about');
    await page.close();

    // a key

    const tab = await context.newPage();
    const complaints = watch(tab);
    await tab.goto(locked.url);
    ok(await until(() => shown(tab, 'key-form')), 'with API_KEY it asks for the key');
    is(await tab.evaluate(() => document.activeElement.id), 'key', 'the focus is in the field');
    ok(!await shown(tab, 'data'), 'and there is no data');
    await pictures(tab, 'key');
    await tab.click('#lang');

    await tab.fill('#key', 'wrong');
    await tab.keyboard.press('Enter');
    ok(await until(async () => /لم تقبل/.test(await text(tab, 'key-text'))), 'a wrong one is refused');
    await tab.fill('#key', 'مفتاح-secret');
    await tab.keyboard.press('Enter');
    ok(await until(() => shown(tab, 'data')), 'the right one opens, even in Arabic');
    ok(!await shown(tab, 'key-form'), 'the form is gone');
    is(await tab.evaluate(() => JSON.stringify(localStorage).includes('secret')
                                || document.cookie !== ''), false, 'it is kept nowhere else');
    await tab.reload();
    ok(await until(() => shown(tab, 'data')), 'it lasts as long as the tab');

    const second = await context.newPage();
    await second.goto(locked.url);
    ok(await until(() => shown(second, 'key-form')), 'another tab asks for it again');
    await second.close();
    await tab.click('#forget');
    ok(await until(() => shown(tab, 'key-form')), 'and it can be forgotten');
    is(complaints.join('\n'), '', 'no complaint');
    await tab.close();

    // hostile names

    const odd = await context.newPage();
    const oddSaid = watch(odd);
    await serve(odd, (uptime) => pretended({
        [`http://unix:/${HOSTILE}`]: detail(1, { healthy: false, state: 'down', reason: `status ${HOSTILE}` }),
        '__proto__x': detail(2, { state: HOSTILE }),
        ['http://' + 'very-long-name.'.repeat(16) + 'example:3000']: detail(3, { weight: 7 }) }, uptime,
        [{ time: '2026-01-01T00:00:00.000Z', instance: HOSTILE, from: 'up', to: HOSTILE, reason: HOSTILE }]));
    await odd.goto(gateway.url);
    ok(await until(async () => await odd.locator('#rows tr').count() === 3), 'hostile names have rows');
    ok(await until(async () => /<img/.test(await text(odd, 'rows'))), 'as text');
    is(await odd.locator('main img').count(), 0, 'never as markup');
    is(await odd.evaluate(() => window.hacked), undefined, 'nothing of them runs');
    await pictures(odd, 'odd');
    is(oddSaid.join('\n'), '', 'no complaint');
    await odd.unroute('**/status');

    for (const [body, what] of [['{"gateway":{}', 'half of it'], ['{}', 'an empty one'], ['null', 'null']]) {
        await odd.route('**/status', (r) => r.fulfill({ contentType: 'application/json', body }));
        ok(await until(() => shown(odd, 'banner')), `${what} for an answer: a banner`);
        await odd.unroute('**/status');
        await odd.click('#retry');
        ok(await until(async () => !await shown(odd, 'banner')), 'and over it is');
    }
    await odd.close();

    // 4,000

    const crowd = await context.newPage();
    await crowd.addInitScript(() => {
        window.tasks = [];
        new PerformanceObserver((l) => l.getEntries().forEach((e) => window.tasks.push(Math.round(e.duration))))
            .observe({ entryTypes: ['longtask'] });
    });

    await serve(crowd, (uptime) => {
        const details = {};

        for (let n = 0; n < 4000; n++) {
            details[`http://10.0.${n >> 8}.${n & 255}:3000`] = detail(Math.round(uptime) * (1 + n % 7),
                n % 400 === 7 ? { healthy: false, state: 'down', reason: 'json $.state is "SCAN_QR_CODE"' } : {});
        }
        return pretended(details, uptime);
    });
    await crowd.goto(gateway.url);
    ok(await until(() => shown(crowd, 'data')), '4,000 instances are shown');
    is(await crowd.locator('#rows tr').count(), 50, 'fifty rows at a time');
    is((await chips(crowd)).filter((s) => s === 'down').length, 10, 'those that are down come first');
    await crowd.click('#after');
    ok(/51/.test(await text(crowd, 'page')), 'there are more pages');
    await crowd.fill('#search', '10.0.15.12');
    ok(await until(async () => await crowd.locator('#rows tr').count() < 50), 'a search narrows');
    await crowd.fill('#search', '');
    await crowd.selectOption('#filter', 'down');
    is(await crowd.locator('#rows tr').count(), 10, 'a filter narrows');
    await crowd.selectOption('#filter', 'any');
    await sleep(8000);
    const tasks = await crowd.evaluate(() => window.tasks);
    console.log(`# 4,000 instances: longest tasks of the page ${tasks.sort((a, b) => b - a).slice(0, 5)} ms`);
    ok(!tasks.some((t) => t > 2000), 'and the page does not freeze', tasks);
    await pictures(crowd, 'crowd');
    await crowd.close();

    await context.close();
    await gateway.stop();
    await locked.stop();
    await Promise.all(instances.map((i) => i.stop()));
}


run(main);
