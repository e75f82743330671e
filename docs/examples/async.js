// SPDX-License-Identifier: MIT
// Asynchronous, in JavaScript: slow work that Node hands to a worker of the thread pool. The loop stays free.
//
//     uvscope record -- node async.js [SECONDS]      (default 10)
'use strict';

const { pbkdf2, pbkdf2Sync } = require('node:crypto');

const seconds = Number(process.argv[2] || 10);
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

// Hashing has an asynchronous form: a worker computes, and the callback runs once it has finished.
function slowAsyncFunction(callback) {
  pbkdf2('password', 'salt', rounds, 64, 'sha512', callback);
}

function myCallback() {
  say('Hello! I start something slow in the background.');
  slowAsyncFunction(() => say('The slow function has finished.'));
  say('All Done!'); // at once
}

const rounds = roundsFor(seconds);
setTimeout(myCallback, 1);
setTimeout(() => say('I am on time.'), seconds * 100); // after a tenth of the slow time

// What to see in `uvscope report`: the first line says that nothing blocked the loop. Under Pool requests,
// the row of kind work has the slow time as its service (a worker ran it), next to no queue (a worker was
// free) and next to no return (the loop was free). Under Timers, Node's timer was hardly late.
