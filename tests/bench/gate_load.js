// SPDX-License-Identifier: MIT
// What gate_experiment.py records: a server that answers REQUESTS requests, each on a connection of its own, with a
// readFileSync; and beside it TICKS callbacks of fs.stat that compute for as long as ROUNDS rounds take. (Of a timer, Node.js
// calls RunTimers now and then when no timer is due, and the shortest of its calls is then that of nothing.)
//   gate_load.js REQUESTS TICKS ROUNDS FILES-READ-PER-REQUEST
//   gate_load.js calibrate: prints the rounds that take 5 ms here
'use strict';
const fs = require('fs');
const http = require('http');

function compute(rounds) {
    let state = 1;
    for (let i = 0; i < rounds; i++)
        state = (Math.imul(state, 1103515245) + 12345) | 0;
    return state;
}

function calibrate() {
    const times = [];
    for (let i = 0; i < 50; i++) {
        const begin = process.hrtime.bigint();
        compute(1e6);
        times.push(Number(process.hrtime.bigint() - begin));
    }
    console.log(Math.round(5e6 / Math.min(...times) * 1e6));
}

function serve(requests, files) {
    const server = http.createServer((request, response) => {
        for (let i = 0; i < files; i++)
            fs.readFileSync(__filename);
        response.end('hello');
    });
    const ask = (left) => {
        if (left === 0) {
            server.close();
            return;
        }
        http.get({port: server.address().port, agent: false}, (response) => {
            response.resume();
            response.on('end', () => ask(left - 1));
        });
    };
    server.listen(0, '127.0.0.1', () => ask(requests));
}

function tick(ticks, rounds) {
    if (ticks === 0)
        return;
    fs.stat(__filename, () => {
        compute(rounds);
        tick(ticks - 1, rounds);
    });
}

const [requests, ticks, rounds, files] = process.argv.slice(2).map(Number);
if (process.argv[2] === 'calibrate') {
    calibrate();
} else {
    compute(1e6); // compiled before it is measured
    serve(requests, files);
    tick(ticks, rounds);
}
