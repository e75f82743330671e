// SPDX-License-Identifier: MIT
// Small requests behind large ones, in JavaScript: reading a file needs a worker of the same pool that
// hashes.
//
//     uvscope record -- node pool.js [SECONDS [FILES]]      (default 1 and 12; try UV_THREADPOOL_SIZE=16 before it)
'use strict';

const { pbkdf2, pbkdf2Sync } = require('node:crypto');
const { readFile } = require('node:fs');

const seconds = Number(process.argv[2] || 1);
const files = Number(process.argv[3] || 12);
const workers = 4; // as many as Node has, unless UV_THREADPOOL_SIZE says otherwise
const start = performance.now();

function say(text) {
  console.log(`${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s  ${text}`);
}

// How many rounds of hashing take about `seconds` on this machine.
function roundsFor(seconds) {
  const sample = 20000;
  const begin = performance.now();
  pbkdf2Sync('password', 'salt', sample, 64, 'sha512');
  return Math.ceil((sample * seconds * 1000) / (performance.now() - begin));
}

const rounds = roundsFor(seconds);

setTimeout(function startAll() {
  for (let number = 1; number <= workers; number++)
    pbkdf2('password', 'salt', rounds, 64, 'sha512', () => say(`Hash ${number}: finished.`));
  for (let number = 1; number <= files; number++)
    readFile(__filename, () => say(`File ${number}: read.`));
  say('Everything is handed over.');
}, 1);

// What to see in `uvscope report`: under Pool requests, fs.open has next to no service, but its queue is as
// long as a hash takes: each worker was hashing. The later steps of the same files, fs.fstat, fs.read and
// fs.close, waited for next to nothing. (From version 26 on Node reads a file in one request of kind work,
// beside the hashes.) The loop was never blocked, and yet each file came late.
