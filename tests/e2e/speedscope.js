// SPDX-License-Identifier: MIT
// Loaded by speedscope's page, with `files` ([name, Base64 of the content]): opens one after the other; what it shows
// of each profile, and what it complained of, becomes the page's title.
(async () => {
    const shown = [], complaints = [];
    for (const how of ["warn", "error"]) console[how] = (...words) => complaints.push(words.join(" "));
    window.alert = (text) => complaints.push(text);
    addEventListener("error", (event) => complaints.push(event.message));
    addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));

    const cells = (row) => [...row.cells].map((cell) => cell.textContent);
    const choices = () => [...document.querySelectorAll("tr[title]")];
    const frames = () => [...document.querySelectorAll("tr:not([title]) > td:nth-child(3)")].map((cell) => cells(cell.parentNode));

    // The page's parts are drawn one after the other: a profile is there when its rows are, and no longer those before.
    let last = "";
    const drawn = () => frames().length && JSON.stringify(frames()) !== last;
    const until = async (holds) => { while (!holds() || !drawn()) await new Promise((go) => setTimeout(go, 50)); };
    const take = (file, profile) => {
        last = JSON.stringify(frames());
        shown.push({file, profile, frames: frames()});
    };

    for (const [name, content] of files) {
        speedscope.loadFileFromBase64(name, content);
        await until(() => document.title === `${name} - speedscope`);
        const all = choices().map((row) => cells(row)[1]);
        take(name, all[0]);
        for (let i = 1; i < all.length; i++) {
            await until(() => {
                choices()[i].dispatchEvent(new MouseEvent("mouseup", {bubbles: true}));
                return document.body.textContent.includes(`${all[i]} (${i + 1}/${all.length})`);
            });
            take(name, all[i]);
        }
    }
    document.title = JSON.stringify({shown, complaints});
})();
