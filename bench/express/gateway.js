// A gateway of the function that wa_gateway replaces, on Express and axios:
// round robin over the instances that are up, checks, failover, /status,
// /health, POST /send-message and WAHA's POST /api/sendText.  It is one side of
// the benchmark.
//
// PORT, INSTANCES (URLs, commas between), HEALTH_CHECK_INTERVAL,
// HEALTH_CHECK_TIMEOUT, REQUEST_TIMEOUT (ms), GENERATION (a header), KEY (the
// instances').

'use strict';

const http = require('http');
const axios = require('axios');
const express = require('express');

const env = process.env;
const port = Number(env.PORT);
const interval = Number(env.HEALTH_CHECK_INTERVAL || 30000);
const checkTimeout = Number(env.HEALTH_CHECK_TIMEOUT || 10000);
const requestTimeout = Number(env.REQUEST_TIMEOUT || 10000);

const agent = new http.Agent({ keepAlive: true });
const client = axios.create({
    httpAgent: agent, proxy: false, maxBodyLength: Infinity,
    headers: env.KEY ? { 'X-Api-Key': env.KEY } : {},
    validateStatus: () => true });

const instances = env.INSTANCES.split(',').map((url) => (
    { url, healthy: true, lastChecked: null, responseTime: null }));
const started = Date.now();
let current = 0;


async function check(instance) {
    const begin = Date.now();

    try {
        const r = await client.get(`${instance.url}/health`,
                                   { timeout: checkTimeout });
        instance.healthy = r.status === 200;
        instance.responseTime = Date.now() - begin;
    } catch {
        instance.healthy = false;
        instance.responseTime = null;
    }

    instance.lastChecked = new Date().toISOString();
}


function next() {
    for (let i = 0; i < instances.length; i++) {
        const instance = instances[current];
        current = (current + 1) % instances.length;
        if (instance.healthy) return instance;
    }
    return null;
}


// Only a message that was not sent goes to another instance.
async function send(req) {
    for (let tries = 0; tries < instances.length; tries++) {
        const instance = next();
        if (!instance) break;

        try {
            const answer = await client.post(
                instance.url + req.originalUrl, req.body,
                { timeout: requestTimeout });
            return { instance, answer };
        } catch (error) {
            instance.healthy = false;
            if (error.code !== 'ECONNREFUSED') return { instance, error };
        }
    }
    return {};
}


const app = express();

app.disable('x-powered-by');
app.use(express.json({ limit: '150mb' }));

app.post(['/send-message', '/api/sendText'], async (req, res) => {
    const { instance, answer, error } = await send(req);

    if (env.GENERATION) res.set('X-Bench', env.GENERATION);

    if (!instance) {
        res.status(503).json({ success: false, error: 'no instances' });
        return;
    }

    res.set('X-WA-Instance', instance.url);

    if (error) {
        res.status(502).json({ success: false, error: error.message });
        return;
    }

    res.status(answer.status).json({
        success: true, data: answer.data, instance: instance.url,
        timestamp: new Date().toISOString() });
});

app.get('/status', (req, res) => {
    const healthy = instances.filter((i) => i.healthy).length;

    res.json({
        gateway: { status: 'running', port,
                   uptime: (Date.now() - started) / 1000 },
        instances: {
            total: instances.length, healthy,
            unhealthy: instances.length - healthy,
            details: Object.fromEntries(instances.map((i) => [i.url, i])) },
        loadBalancer: { algorithm: 'round-robin', currentIndex: current } });
});

app.get('/health', (req, res) => {
    const healthy = instances.filter((i) => i.healthy).length;

    res.status(healthy ? 200 : 503).json({
        status: healthy ? 'healthy' : 'unhealthy',
        instances: { total: instances.length, healthy } });
});

for (const instance of instances) {
    check(instance);
    setInterval(check, interval, instance);
}

const server = app.listen(port, '127.0.0.1');

process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
});
