// SPDX-License-Identifier: MIT
// Callbacks, in JavaScript: do this later, and then run that. The line after it runs first.
//
//     uvscope record -- node timer.js [MILLISECONDS]      (default 1000)
'use strict';

const delay = Number(process.argv[2] || 1000);
const start = performance.now();

function say(text) {
  console.log(`${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s  ${text}`);
}

// Declared apart: it has a name, and may be handed to several timers.
function declaredApart() {
  say('The callback that was declared apart.');
}

setTimeout(declaredApart, delay);
say('The line after the first setTimeout.');

// In place: the same as one expression, without a name.
setTimeout(function () {
  say('The callback that was written in place.');
}, delay + 100);
say('The line after the second setTimeout.');

// What to see in `uvscope report`: under Timers, node::Environment::RunTimers ran twice, and how late it was:
// a timer promises "not before", never "exactly at". Under Callbacks, how long it ran. Under Loops, of the
// loop that has those callbacks, nearly all of the time is poll: to wait costs nothing.
