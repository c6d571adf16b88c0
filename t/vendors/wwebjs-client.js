'use strict';

// For wwebjs-api: whatsapp-web.js as it is, with a pretended page instead of
// Chromium's.  A session whose phone is starting when it begins is not listed
// until it is something else, nor are those that begin after it.

const Module = require('module');
const { Browser, any, phone, some, tell, wid } = require('./phones.js');

const sockets = { ready: 'CONNECTED', starting: 'OPENING',
                  login: 'UNPAIRED', removed: 'UNPAIRED_IDLE', closed: null };


// Backbone's way of telling: the callback gets the object and the value.
function model(values) {
    const listeners = [];

    return some(Object.assign(values, {
        on: (event, fn) => listeners.push({ event, fn }),
        off: (event, fn) => {
            const i = listeners.findIndex(l => l.event === event
                                               && l.fn === fn);
            if (i >= 0) {
                listeners.splice(i, 1);
            }
        },
        tell: (event, value) =>
            tell(listeners.filter(l => l.event === event).map(l => l.fn),
                 values, value),
    }));
}


function load(p) {
    const socket = model({ state: sockets[p.state] });
    const cmd = model({});

    socket.logout = () => p.change({ state: 'login' });

    const modules = {
        WAWebSocketModel: { Socket: socket },
        WAWebCmd: { Cmd: cmd },
        WAWebConnModel: { Conn: some({
            ref: '2@Pr3t3nd3d',
            on: () => undefined,
            serialize: () => ({ pushname: p.session, platform: 'android' }),
        }) },
        WAWebUserPrefsMeUser: { getMaybeMePnUser: () => p.wid },
        WAWebUserPrefsMultiDevice: { getADVSecretKey: () => 's3cr3t' },
        WAWebCompanionRegClientUtils: { DEVICE_PLATFORM: 1 },
        WAWebUserPrefsInfoStore: { waNoiseInfo: any() },
        WAWebSignalStoreApi: { waSignalStore: any() },
        WAWebWidFactory: { createWid: wid },
        WAWebCollections: some({ Chat: some({ get: () => undefined,
                                              getModelsArray: () => [] }) }),
        WAWebFindChatAction: {
            findOrCreateLatestChat: async to =>
                p.knows(to) ? { chat: { id: to } } : undefined,
        },
        WAWebQueryExistsJob: {
            queryWidExists: async to => p.knows(to) ? { wid: to } : null,
        },
    };

    return {
        Debug: { VERSION: '2.3000.0' },
        require: name => modules[name] || any(),
    };
}


// After the library put its own there: what is sent goes to the phone.
function patch(p, WWebJS) {
    WWebJS.sendSeen = async () => true;
    WWebJS.getMessageModel = message => message;

    WWebJS.sendMessage = async (chat, content, options) => {
        const to = chat.id._serialized;
        const media = options.media;
        const result = await p.send(to, media
            ? { media: { mimetype: media.mimetype, filename: media.filename,
                         data: media.data }, text: options.caption }
            : { text: content });

        return result && {
            id: { fromMe: true, remote: to, id: result.id,
                  _serialized: `true_${to}_${result.id}` },
            type: media ? 'document' : 'chat', body: content,
            t: Math.floor(Date.now() / 1000), from: p.wid, to: chat.id,
            ack: result.sent ? 1 : -1, isSendFailure: !result.sent,
            ...media && { directPath: '/v/t62', caption: options.caption },
            links: [],
        };
    };
}


function launch(session) {
    const p = phone(session);
    const browser = new Browser(() => load(p));
    const page = browser.page;
    const socket = () => page.window.require('WAWebSocketModel').Socket;

    function synced() {
        if (p.state === 'ready') {
            socket().tell('change:hasSynced');
        }
    }

    page.on('evaluated', what => {
        if (/window\.WWebJS = \{\}/.test(what)) {
            patch(p, page.window.WWebJS);
        }
        // the last thing that is done to a page
        if (/change:hasSynced/.test(what)) {
            setImmediate(synced);
        }
    });

    function loggedOut() {
        page.window.require('WAWebCmd').Cmd.tell('logout');
        page.navigate('https://web.whatsapp.com/?post_logout=1');
    }

    function follow(state, before) {
        if (state === 'closed') {
            page.close();
        } else if (state === 'login' && before === 'ready') {
            // who logs out by the library closes the browser at once
            setImmediate(() => page.open && loggedOut());
        } else {
            socket().state = sockets[state];
            socket().tell('change:state', sockets[state]);
            synced();
        }
    }

    p.on('state', follow);
    page.on('close', () => p.off('state', follow));

    return browser;
}


const original = Module._load;

Module._load = function (name, parent, ...rest) {
    if (name !== 'puppeteer') {
        return original.call(this, name, parent, ...rest);
    }

    return { launch: async options =>
        launch(options.userDataDir.replace(/^.*\/session-/, '')) };
};
