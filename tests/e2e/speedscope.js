// SPDX-License-Identifier: MIT
// Loaded by speedscope's page, with `files` ([name, Base64 of the content]): opens one after the other; what it shows
// of each profile, and what it complained of, becomes the page's title.
(async () => {
    const shown = [], complaints = [];
    for (const how of ["warn", "error"]) console[how] = (...words) => complaints.push(words.join(" "));
    window.alert = (text) => complaints.push(text);
    addEventListener("error", (event) => complaints.push(event.message));
    addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));

    const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go, 20)); };
    const cells = (row) => [...row.cells].map((cell) => cell.textContent);
    const profiles = () => [...document.querySelectorAll("tr[title]")].map(cells);
    const frames = () => [...document.querySelectorAll("tr:not([title]) > td:nth-child(3)")].map((cell) => cells(cell.parentNode));

    for (const [name, content] of files) {
        speedscope.loadFileFromBase64(name, content);
        await until(() => document.title === `${name} - speedscope` && (profiles().length || frames().length));
        const all = profiles();
        for (let i = 0; i < Math.max(all.length, 1); i++) {
            await until(() => !all.length || document.body.textContent.includes(`(${i + 1}/${all.length})`));
            shown.push({file: name, profile: all.length ? all[i][1] : null, frames: frames()});
            dispatchEvent(new KeyboardEvent("keypress", {key: "n"}));
        }
    }
    document.title = JSON.stringify({shown, complaints});
})();
