'use strict';

// For wppconnect-server: @wppconnect-team/wppconnect as it is, with a
// pretended page instead of Chromium's.

const Module = require('module');
const { Browser, any, phone, some, tell, wid } = require('./phones.js');

const qr = '1@' + 'Pr3t3nd3d'.repeat(8);
const image = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1'
              + 'HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';


function registered(p) {
    return p.state === 'ready' || p.state === 'starting';
}


function load(p) {
    const messages = new Map();
    const listeners = {};

    const canvas = {
        toDataURL: () => image,
        closest: () => ({ querySelector: () => null,
                          getAttribute: () => qr }),
    };

    async function send(to, what, type) {
        const result = await p.send(to, what);

        messages.set(`true_${to}_${result.id}`, {
            id: `true_${to}_${result.id}`, body: what.text || '', type,
            t: Math.floor(Date.now() / 1000), from: p.wid._serialized, to,
            self: 'out', ack: result.sent ? 1 : -1, fromMe: true,
            isSendFailure: !result.sent,
        });

        return { id: `true_${to}_${result.id}`, ack: result.sent ? 1 : -1,
                 sendMsgResult: {} };
    }

    const WPP = some({
        isReady: true,
        version: '0.0.0',
        on: (event, fn) => (listeners[event] = listeners[event] || [])
            .push(fn),
        tell: event => tell(listeners[event] || []),
        conn: some({
            isRegistered: () => registered(p),
            isMainLoaded: () => p.state === 'ready',
            isMainReady: () => p.state === 'ready',
            logout: async () => p.change({ state: 'login' }),
        }),
        chat: some({
            defaultSendMessageOptions: {},
            sendTextMessage: (to, text) => send(to, { text }, 'chat'),
            sendFileMessage: (to, data, options) => send(to, {
                text: options.caption,
                media: { filename: options.filename, data },
            }, 'document'),
        }),
    });

    const WAPI = some({
        getWid: () => registered(p) ? p.wid._serialized : undefined,
        getWAVersion: () => '2.3000.0',
        isConnected: () => true,
        getMessageById: async id => messages.get(id),
        checkNumberStatus: async id => p.knows(id)
            ? { id: wid(id), isBusiness: false, canReceiveMessage: true,
                numberExists: true, status: 200 }
            : { id, isBusiness: false, canReceiveMessage: false,
                numberExists: false, status: 404 },
    });

    return {
        WPP, WAPI, Store: any(),
        document: {
            querySelector: name => name === 'canvas' && p.state === 'login'
                ? canvas : null,
        },
        MutationObserver: class { observe() {} },
    };
}


function launch(session) {
    const p = phone(session);
    const browser = new Browser(() => load(p));
    const page = browser.page;

    function follow(state, before) {
        if (state === 'closed') {
            browser.close();
        } else if (state === 'login' && before === 'ready') {
            page.navigate('https://web.whatsapp.com/');
        } else {
            page.window.WPP.tell(state === 'login' ? 'conn.auth_code_change'
                                                   : 'conn.main_ready');
        }
    }

    p.on('state', follow);
    page.on('close', () => p.off('state', follow));

    return browser;
}


const original = Module._load;
let library;

// updatesLog would ask npm's registry; a session that nobody logs in ends after
// a minute, which a slow machine may take.
Module._load = function (name, parent, ...rest) {
    const loaded = original.call(this, name, parent, ...rest);

    if (name !== '@wppconnect-team/wppconnect') {
        return loaded;
    }

    library = library || Object.create(loaded, { create: {
        value: options => loaded.create({
            ...options, updatesLog: false, autoClose: 0, deviceSyncTimeout: 0,
            browser: launch(options.session) }),
        enumerable: true } });

    return library;
};
