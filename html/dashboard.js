'use strict';

// The page: starts it, keeps its settings and hears its user.

(function () {

const { $ } = parts;

let lang = recall('localStorage', 'wa_gateway.lang') === 'en' ? 'en' : 'ar';


// ---- storage, which may be forbidden

function recall(where, name) {
    try {
        return window[where].getItem(name) || '';
    } catch (e) {
        return '';
    }
}


function remember(where, name, value) {
    try {
        if (value) {
            window[where].setItem(name, value);
        } else {
            window[where].removeItem(name);
        }
    } catch (e) {
        // then it lasts as long as the page
    }
}


// ---- hands

function useKey(key) {
    remember('sessionStorage', 'wa_gateway.key', key);
    sessions.forget();
    control.forget();
    gateway.use(key);
}


$('lang').addEventListener('click', () => {
    lang = lang === 'ar' ? 'en' : 'ar';
    remember('localStorage', 'wa_gateway.lang', lang);
    view.speak(lang);
});

$('key-form').addEventListener('submit', (e) => {
    e.preventDefault();
    useKey($('key').value);
});

$('forget').addEventListener('click', () => useKey(''));

$('admin-open').addEventListener('click', controlView.openAdmin);
$('add-open').addEventListener('click', controlView.openAdd);

$('retry').addEventListener('click', () => {
    gateway.retry();
    view.countDown();
});

for (const id of ['search', 'filter', 'sort']) {
    $(id).addEventListener('input', view.find);
}

$('before').addEventListener('click', () => view.turn(-1));
$('after').addEventListener('click', () => view.turn(1));
$('more').addEventListener('click', view.toggleEvents);

$('session-search').addEventListener('input', sessionView.find);
$('by-instance').addEventListener('click', () => sessionView.group('instance'));
$('by-number').addEventListener('click', () => sessionView.group('number'));
$('more-groups').addEventListener('click', sessionView.more);

document.addEventListener('visibilitychange', gateway.look);

setInterval(() => {
    if (!document.hidden && (gateway.mode === 'gone' || gateway.mode === 'odd')) {
        view.countDown();
    }
}, 1000);


// ---- start

sessions.start(view.draw);
control.start(view.draw);
controlView.start(gateway.retry, useKey);
loginView.start();

gateway.start({
    answered() {
        view.draw();
        sessions.hear();
        control.look();
    },
    failed: view.drawMode,
    refused(again) {
        remember('sessionStorage', 'wa_gateway.key', '');
        view.askKey(again);
    },
}, recall('sessionStorage', 'wa_gateway.key'));

view.speak(lang);

})();
