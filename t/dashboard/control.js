'use strict';

// The dashboard's buttons in a browser: instances of a gateway of
// bin/wa-gateway are added, changed and removed, by mouse and by keyboard.

const { Gateway, Instance, browser, chips, freePort, is, ok, pictures, run, shown,
        text, until, watch } = require('./lib.js');

const ADMIN = 'مفتاح "admin\\';

const focused = (page) => page.evaluate(() => document.activeElement.id);
const names = async (page) => (await page.locator('#rows .name').allTextContents()).sort();


async function unlock(page, key) {
    await page.click('#admin-open');
    await page.fill('#admin-key', key);
    await page.keyboard.press('Enter');
}


// The action's button is pressed, and a question answered, by the keyboard.
async function press(page, action, answer) {
    await page.focus(`#manage-${action}`);
    await page.keyboard.press('Enter');

    if (answer) {
        await page.focus(`#manage-${answer}`);
        await page.keyboard.press('Enter');
    }
}


const says = (page, re, name, id = 'manage') => until(async () =>
    re.test(await text(page, `${id}-says`))).then(async (good) =>
    ok(good, name, await text(page, `${id}-says`)));


async function main() {
    const instances = [];

    for (let n = 0; n < 3; n++) {
        instances.push(new Instance(await freePort()));
        await instances[n].start();
    }

    const [one, two, three] = instances.map((i) => `http://127.0.0.1:${i.port}`);
    const settings = { INSTANCES: `${one},${two}`, HEALTH_CHECK_INTERVAL: 1000,
                       WORKERS: 2, ADMIN_KEY: ADMIN };
    const gateway = new Gateway('open', await freePort(), settings);
    const locked = new Gateway('locked', await freePort(), { ...settings, API_KEY: 'api' });

    await gateway.start();
    await locked.start();

    const context = await browser();
    const page = context.pages()[0] || await context.newPage();
    const said = watch(page, /ERR_|status of (400|401|404|409|502|503)/);
    const sent = [];

    page.on('request', (q) => { if (/instances/.test(q.url())) { sent.push(`${q.method()} ${q.url()}`); } });
    await page.goto(gateway.url);
    ok(await until(async () => (await chips(page)).join() === 'up,up'), 'two instances');

    // read only

    is(await page.locator('#rows .manage:visible').count(), 0, 'without the admin key there are no buttons');
    ok(!await shown(page, 'add-open'), 'nor one to add');
    ok(await shown(page, 'admin-open'), 'but one to bring the key');
    is(sent.join(), '', 'nothing was asked of control');

    await page.focus('#admin-open');
    await page.keyboard.press('Enter');
    ok(await shown(page, 'admin'), 'from the keyboard');
    is(await focused(page), 'admin-close', 'the focus is in the dialog');
    await page.keyboard.press('Escape');
    ok(!await shown(page, 'admin'), 'Escape closes it');
    is(await focused(page), 'admin-open', 'and the focus is where it was');

    await unlock(page, 'wrong');
    await says(page, /لم تقبل البوابة/, 'a wrong key is refused', 'admin');
    is(await page.locator('#rows .manage:visible').count(), 0, 'and opens nothing');
    await page.fill('#admin-key', ADMIN);
    await page.keyboard.press('Enter');
    ok(await until(async () => await page.locator('#rows .manage:visible').count() === 2), 'the right one brings buttons');
    ok(!await shown(page, 'admin') && !await shown(page, 'admin-open'), 'and the dialog is gone');
    is(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie), '{}', 'it is kept for the tab alone');
    await page.reload();
    ok(await until(() => shown(page, 'add-open')), 'where it lasts');

    // add

    await page.focus('#add-open');
    await page.keyboard.press('Enter');
    await page.fill('#add-url', `${three}/path`);
    await page.keyboard.press('Enter');
    await says(page, /url: a path is not allowed/, 'what is refused is told', 'add');
    await page.fill('#add-url', one);
    await page.keyboard.press('Enter');
    await says(page, /موجود من قبل/, 'in words of the language', 'add');
    is(await page.inputValue('#add-url'), one, 'what was typed stays');
    await page.fill('#add-url', three);
    await page.fill('#add-weight', '2');
    await page.keyboard.press('Enter');
    await says(page, /أُضيف/, 'one is added', 'add');
    is(await page.inputValue('#add-url'), '', 'the form is for another one');
    await page.click('#add-close');
    is(await focused(page), 'add-open', 'the focus is back');
    ok(await until(async () => (await names(page)).join() === [one, two, three].sort().join()), 'it has a row');

    // change

    const row = page.locator('#rows tr', { hasText: two });

    is(await row.locator('.manage').getAttribute('aria-label'), `إدارة ${two}`, 'a button tells whose it is');
    await row.locator('.manage').focus();
    await page.keyboard.press('Enter');
    is(await page.locator('#manage-title bdi').textContent(), two, 'its dialog too');

    sent.length = 0;
    await press(page, 'drain');
    ok(await shown(page, 'manage-sure'), 'to drain it is asked for');
    is(await focused(page), 'manage-no', 'the focus is at the no');
    await page.keyboard.press('Enter');
    ok(!await shown(page, 'manage-sure'), 'no');
    is(sent.join(), '', 'does nothing');
    is(await focused(page), 'manage-drain', 'and goes back');
    await press(page, 'drain', 'yes');
    await says(page, /لا يستقبل جديدًا/, 'yes does it');
    is(await focused(page), 'manage-drain', 'the focus stays');
    ok(await until(async () => /drained at run time/.test(await row.innerText())), 'the row has it');
    ok(/يُفرَّغ/.test(await row.locator('.reason').textContent()), 'in words');
    await press(page, 'up');
    await says(page, /عاد إلى العمل/, 'up asks nothing');
    await press(page, 'down', 'yes');
    await says(page, /أُوقف/, 'down');
    ok(await until(async () => /down at run time/.test(await row.innerText())), 'the row has it');
    await page.fill('#manage-weight', '0');
    sent.length = 0;
    await page.keyboard.press('Enter');
    is(sent.join(), '', 'no weight of 0');
    await page.fill('#manage-weight', '7');
    await page.keyboard.press('Enter');
    await says(page, /تغيّر وزنه/, 'a weight is set');
    ok(await until(async () => /الوزن 7/.test(await row.innerText())), 'the row has it');
    await page.keyboard.press('Escape');
    is(await page.evaluate(() => document.activeElement.className), 'manage', 'the focus is back at the row');
    await page.keyboard.press('Enter');
    await press(page, 'remove');
    await pictures(page, 'manage');
    await page.keyboard.press('Escape');

    // remove, in English

    is(await page.evaluate(() => document.documentElement.lang), 'en', 'in English');
    await page.locator('#rows tr', { hasText: three }).locator('.manage').click();
    await press(page, 'remove', 'yes');
    await says(page, /^It is removed/, 'one is removed');
    ok(await until(async () => (await names(page)).join() === [one, two].sort().join()), 'its row is gone');
    await press(page, 'up');
    await says(page, /^This instance is not there any more/, 'what is gone is told');
    is(await page.locator('#manage-says').getAttribute('class'), 'says bad', 'as an error');
    await page.click('#manage-close');

    await page.click('#add-open');
    await pictures(page, 'add');
    ok(!/[\u0600-\u06ff]/.test(await page.locator('#add').innerText()), 'no Arabic is left in it');
    await page.click('#add-close');

    // nobody answers

    await page.locator('#rows .manage').first().click();
    await gateway.stop();
    await press(page, 'up');
    await says(page, /whether it was done is not known/, 'a gateway that is gone is told');
    await page.click('#manage-close');
    await gateway.start();
    ok(await until(async () => {
        await page.evaluate(() => document.getElementById('retry').click());
        return !await shown(page, 'banner');
    }), 'it is back', await text(page, 'banner'));
    is((await names(page)).join(), [one, two].sort().join(), 'with what was done');

    await page.click('#forget');
    ok(await until(() => shown(page, 'admin-open')), 'the key is forgotten');
    is(await page.locator('#rows .manage:visible').count(), 0, 'and the buttons are gone');
    is(said.join('\n'), '', 'the browser has nothing to complain about');
    await page.close();

    // where there is an API key as well

    const tab = await context.newPage();
    const complaints = watch(tab);
    await tab.goto(locked.url);
    ok(await until(() => shown(tab, 'key-form')), 'with API_KEY the page asks for it');
    ok(!await shown(tab, 'admin-open'), 'first');
    await tab.fill('#key', 'api');
    await tab.keyboard.press('Enter');
    ok(await until(() => shown(tab, 'admin-open')), 'the API key opens it to be read');
    is(await tab.locator('#rows .manage:visible').count(), 0, 'and no more');
    await unlock(tab, ADMIN);
    ok(await until(async () => await tab.locator('#rows .manage:visible').count() === 2), 'the admin key all of it');
    await tab.click('#forget');
    ok(await until(() => shown(tab, 'key-form')), 'forgotten');
    await tab.fill('#key', ADMIN);
    await tab.keyboard.press('Enter');
    ok(await until(async () => await tab.locator('#rows .manage:visible').count() === 2), 'also as the only key');
    is(complaints.join('\n'), '', 'no complaint');

    await context.close();
    await gateway.stop();
    await locked.stop();
    await Promise.all(instances.map((i) => i.stop()));
}


run(main);
