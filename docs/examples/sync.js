// SPDX-License-Identifier: MIT
// Synchronous, in JavaScript: one slow function holds the loop, and all the rest of the program waits for it.
//
//     uvscope record -- node sync.js [SECONDS]      (default 10)
'use strict';

const seconds = Number(process.argv[2] || 10);
const start = performance.now();

function say(text) {
  console.log(`${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s  ${text}`);
}

// Computes for `seconds` and does not let go of the thread before it has finished.
function superSlowFunction() {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
}

function myCallback() {
  say('Hello! I start something slow.');
  superSlowFunction();
  say('All Done!');
}

// Somebody else's work. It was due early, but there is one thread and myCallback has it.
function dueMeanwhile() {
  say('I was due long ago.');
}

setTimeout(dueMeanwhile, seconds * 100); // after a tenth of the slow time
setImmediate(myCallback); // as soon as the loop turns

// What to see in `uvscope report`: the first line says that superSlowFunction blocked the loop, and for how
// long. Under Worst blocks it is a long_callback, held by superSlowFunction and filled by
// node::Environment::CheckImmediate: what setImmediate asks for, Node runs from there. Under Timers,
// node::Environment::RunTimers, from which Node runs all callbacks of setTimeout, was late by about as much,
// although dueMeanwhile itself takes next to no time; who waited, and for whom, says why.
