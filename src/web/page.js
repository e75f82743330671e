// SPDX-License-Identifier: MIT
// The page of a report, out of its JSON. Names of the trace only ever become text nodes.
"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report").textContent);
  const short = new Map(Object.entries(JSON.parse(document.getElementById("short").textContent)));
  const stacks = JSON.parse(document.getElementById("stacks").textContent);
  const main = document.getElementById("main");

  // --- Figures ---

  const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  const time = (ns) => {
    if (ns === null || ns === undefined) return "–";
    const [size, unit] = units.find(([least]) => ns >= least) || units[3];
    return `${Number((ns / size).toPrecision(3))} ${unit}`;
  };
  const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  const count = (n) => n === null || n === undefined ? "–" : n.toLocaleString("en");
  const percent = (x) => x === null || x === undefined ? "–" : `${(100 * x).toFixed(1)} %`;
  const label = (site) => site ? site.label : "–";
  const brief = (text) => short.get(text) || text;
  const tag = (site) => brief(label(site));
  const since = (ns) => ns - report.trace.begin_ns;

  // --- Elements ---

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const section = (title, ...children) => {
    const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
    const made = element("section", {"aria-labelledby": id}, element("h2", {id}, title), ...children);
    main.append(made);
    return made;
  };

  // columns: {title, of: value of a row, show: its text}, or of texts {title, of, text: true, shown: the text, or the
  // nodes, that are shown of a row, where that is shorter}. Sorted by a click on a title.
  // The report's own order, where it was asked for, stays until a title is clicked. list: of what in shown.left_out.
  const asked = report.shown && report.shown.sort;
  const table = (caption, columns, rows, first, list) => {
    const body = element("tbody");
    const heads = columns.map((column) => {
      const button = element("button", {type: "button"}, column.title);
      const head = element("th", {scope: "col", class: column.text ? "text" : ""}, button);
      button.addEventListener("click", () => sort(column, head.getAttribute("aria-sort") === "descending"));
      return head;
    });
    let shown = rows, by = null, ascending = false;
    const fill = () => {
      body.replaceChildren(...shown.map((row) => element("tr", {}, ...columns.map((column) => {
        if (!column.text) return element("td", {}, column.show(column.of(row)));
        return element("td", {class: "text name-cell", title: column.of(row) ?? "–"}, ...[column.shown(row)].flat());
      }))));
    };
    const order = (a, b) => {
      if (!by) return 0;
      const x = by.of(a) ?? (by.text ? "" : -1), y = by.of(b) ?? (by.text ? "" : -1);
      const sign = by.text ? String(x).localeCompare(String(y)) : x - y;
      return ascending ? sign : -sign;
    };
    const sort = (column, up) => {
      [by, ascending] = [column, up];
      heads.forEach((head, i) => head.setAttribute("aria-sort", columns[i] !== by ? "none" : up ? "ascending" : "descending"));
      shown = [...shown].sort(order);
      fill();
    };
    const keep = (wanted) => {
      shown = rows.filter(wanted).sort(order);
      fill();
      return shown.length;
    };
    const made = element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
      element("table", {}, element("caption", {class: "skip"}, caption),
        element("thead", {}, element("tr", {}, ...heads)), body));
    if (first && !asked) sort(columns.find((column) => column.title === first), false);
    else fill();
    const more = list && report.shown ? report.shown.left_out[list] : 0;
    if (more) made.append(element("p", {class: "dim more"}, `… and ${count(more)} more rows, which were left out`));
    return {made, keep};
  };

  // --- Charts ---

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colours = () => dark.matches ? ["#8ab8ff", "#ffc061", "#7fd8a4", "#ff8a80"] : ["#1558b0", "#b36b00", "#1f7a44", "#b3261e"];
  const charts = [];
  // lines: [{label, values, show, scale}] over xs.
  const chart = (caption, xs, lines, {xShow, xLabel, logX, logY} = {}) => {
    const heights = lines.map((line) => `${line.label} at most ${line.show(Math.max(...line.values))}`).join(", ");
    const figure = element("figure", {role: "group", "aria-label": `${caption}: ${heights}`}, element("figcaption", {}, caption));
    const place = element("div", {"aria-hidden": "true"});
    figure.append(place);
    charts.push({place, make: () => {
      const style = getComputedStyle(document.documentElement);
      const axis = {stroke: style.getPropertyValue("--dim"), grid: {stroke: style.getPropertyValue("--line"), width: 1}, ticks: {show: false}};
      const scales = {x: {time: false, distr: logX ? 3 : 1}};
      const axes = [{...axis, values: (u, ticks) => ticks.map((x) => x === null ? "" : xShow(x))}];
      const seen = [...new Set(lines.map((line) => line.scale))];
      for (const [i, scale] of seen.entries()) {
        const {show, range} = lines.find((line) => line.scale === scale);
        scales[scale] = {range, distr: logY ? 3 : 1};
        axes.push({...axis, scale, side: i ? 1 : 3, size: 70, grid: {...axis.grid, show: !i},
          values: (u, ticks) => ticks.map((y) => y === null ? "" : show(y))});
      }
      return new uPlot({
        width: place.clientWidth || 600, height: 240, scales, axes, cursor: {drag: {x: true, y: false}},
        series: [{label: xLabel, value: (u, x) => x === null ? "" : xShow(x)}, ...lines.map((line, i) => ({
          label: line.label, scale: line.scale, stroke: colours()[i % 4], width: 2, points: {show: logX === true},
          value: (u, y) => y === null ? "–" : line.show(y)}))],
      }, [xs, ...lines.map((line) => line.values)], place);
    }});
    return figure;
  };
  const draw = () => {
    for (const chart of charts) {
      if (chart.drawn) chart.drawn.destroy();
      chart.drawn = chart.make();
    }
  };

  // --- The page, from the top ---

  if (report.shown) {
    const {from_ns, until_ns, filter, sort} = report.shown;
    const left = Object.values(report.shown.left_out).reduce((sum, rows) => sum + rows, 0);
    const parts = [from_ns || until_ns !== null ? `from ${time(from_ns)} to ${until_ns === null ? "the end" : time(until_ns)}` : null,
      filter, sort && `sorted by ${sort}`, left ? `${count(left)} rows left out` : null].filter(Boolean);
    if (parts.length) main.append(element("p", {class: "dim", id: "asked"}, `Of the trace: ${parts.join("; ")}.`));
  }
  const longest = report.loops.reduce((most, loop) => Math.max(most, loop.block.max_ns || 0), 0);
  const waits = report.pool.flatMap((pool) => pool.requests).reduce((most, row) => Math.max(most, row.queue ? row.queue.max_ns || 0 : 0), 0);
  const lost = report.trace.loss;
  const late = report.callbacks.reduce((most, row) => Math.max(most, row.delay ? row.delay.max_ns || 0 : 0), 0);
  const collected = report.loops.flatMap((loop) => loop.gc || []).reduce((sum, row) => sum + (row.duration.sum_ns || 0), 0);
  const tiles = [["longest block", time(longest)], ["latest callback", time(late)],
    report.pool.length ? ["longest wait for a worker", time(waits)] : null,
    report.loops.some((loop) => loop.gc) ? ["garbage collection", time(collected)] : null,
    ["events lost", lost.events === null ? "unknown" : count(lost.events + (lost.packets || 0))],
    ["recorded", time(report.trace.duration_ns)]].filter(Boolean);
  main.append(element("dl", {class: "tiles"}, ...tiles.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))));

  if (report.findings.length) {
    section("Findings", element("ul", {class: "findings"}, ...report.findings.map((finding) =>
      element("li", {class: finding.severity}, element("b", {}, finding.severity), ` ${sentence(brief(finding.text))}`,
        ...(finding.advice ? [element("p", {class: "dim"}, sentence(finding.advice))] : [])))));
  }

  const many = report.loops.length > 1;
  const loopOf = (row) => report.loops.find((loop) => loop.pid === row.pid && loop.loop === row.loop);
  // What tells it from the others.
  const traits = (loop) => loop ? [loop.main ? "main" : null, loop.name].filter(Boolean).join(", ") : "";
  const named = (row) => !many ? "" : ` of loop ${row.loop}${traits(loopOf(row)) ? ` (${traits(loopOf(row))})` : ""}${report.processes.length > 1 ? ` of pid ${row.pid}` : ""}`;
  const overTime = [];
  const slices = report.slices;
  if (slices && slices.count > 1) {
    const xs = Array.from({length: slices.count}, (_, i) => (report.shown ? report.shown.from_ns : 0) + i * slices.width_ns);
    const xShow = (x) => time(x);
    // The busiest first, and of many those that do anything worth a look.
    const busy = (row) => (loopOf(row) || {busy_ns: 0}).busy_ns;
    const busiest = [...slices.loops].sort((a, b) => busy(b) - busy(a));
    for (const loop of busiest.filter((row, i) => i === 0 || busy(row) > report.trace.duration_ns / 100).slice(0, 4)) {
      overTime.push(chart(`Utilization${named(loop)}: busy share of each ${time(slices.width_ns)}`, xs,
        [{label: "busy", scale: "share", values: loop.utilization, show: percent, range: [0, 1.02]}], {xShow, xLabel: "at"}));
      overTime.push(chart(`Longest block${named(loop)} that began in each ${time(slices.width_ns)}`, xs,
        [{label: "longest block", scale: "time", values: loop.worst_block_ns, show: time}], {xShow, xLabel: "at"}));
    }
    for (const pool of slices.pools.filter((row) => row.queue_depth.some((depth) => depth > 0)).slice(0, 4)) {
      overTime.push(chart(`Requests waiting for the pool of pid ${pool.pid}, and the longest wait`, xs, [
        {label: "waiting", scale: "depth", values: pool.queue_depth, show: (depth) => depth < 10 ? String(Number(depth.toPrecision(2))) : depth.toFixed(1)},
        {label: "longest wait", scale: "time", values: pool.max_wait_ns, show: time}], {xShow, xLabel: "at"}));
    }
  }
  if (overTime.length) section("Over time", element("p", {class: "dim"}, "Drag over a part to zoom, double-click for the whole."),
    element("div", {class: "charts"}, ...overTime));

  const points = [["p50_ns", 0.5], ["p90_ns", 0.9], ["p99_ns", 0.99], ["p999_ns", 0.999]];
  const curve = (dist) => points.map(([key]) => Math.max(dist[key], 1));
  const curves = (caption, rows) => {
    const with_ = rows.filter((row) => row.dist && row.dist.count > 0).slice(0, 4);
    return with_.length === 0 ? [] : [chart(caption, points.map(([, q]) => 1 / (1 - q)),
      with_.map((row) => ({label: row.label, scale: "time", values: curve(row.dist), show: time})),
      {xShow: (x) => `p${Number((100 * (1 - 1 / x)).toFixed(1))}`, xLabel: "percentile", logX: true, logY: true})];
  };
  const percentiles = [
    ...curves("Percentiles of busy intervals", report.loops.map((loop) => ({label: `loop ${loop.pid}:${loop.loop}`, dist: loop.block}))),
    ...curves("Percentiles of the delay of callbacks, the most delayed first", report.callbacks.filter((row) => row.delay && row.delay.count)
      .sort((a, b) => b.delay.sum_ns - a.delay.sum_ns).map((row) => ({label: `${row.kind} ${tag(row.site)}`.slice(0, 60), dist: row.delay}))),
  ];
  if (percentiles.length) section("Percentiles", element("div", {class: "charts"}, ...percentiles));

  const text = (title, of, shown = (row) => brief(of(row) ?? "–")) => ({title, of, text: true, shown});
  // of: a row's [name, figure]s, with the names as a function has them of a site. Where they are too wide the names
  // are cut, each by itself; the figures are kept.
  const entries = (title, of) => text(title, (row) => of(row, label).map((entry) => entry.join("")).join(", ") || "–",
    (row) => of(row, tag).length === 0 ? "–" : element("span", {class: "entries"}, ...of(row, tag).map(([name, figure], i, all) =>
      element("span", {class: "entry"}, element("span", {}, name), `${figure}${i + 1 < all.length ? ", " : ""}`))));
  const times = (title, of) => ({title, of, show: time});
  const counts = (title, of) => ({title, of, show: count});
  const numbers = (title, of) => ({title, of, show: (n) => `${n ?? "–"}`}); // of things, not of how many
  const place = [...report.processes.length > 1 ? [numbers("pid", (row) => row.pid)] : [], ...many ? [numbers("loop", (row) => row.loop)] : []];

  if (report.callbacks.length) {
    const callbacks = table("Callbacks by function", [
      ...place, text("kind", (row) => row.kind), text("callback", (row) => label(row.site)),
      counts("count", (row) => row.count), times("self", (row) => row.self.sum_ns),
      times("p50", (row) => row.duration.p50_ns), times("p99", (row) => row.duration.p99_ns), times("max", (row) => row.duration.max_ns),
      times("delay p99", (row) => row.delay && row.delay.p99_ns), times("delay max", (row) => row.delay && row.delay.max_ns),
      times("latency max", (row) => row.latency && row.latency.max_ns)], report.callbacks, "self", "callbacks");
    const kinds = [...new Set(report.callbacks.map((row) => row.kind))].sort();
    const filter = element("input", {type: "search", id: "filter", autocomplete: "off"});
    const kind = element("select", {id: "kind"}, element("option", {value: ""}, "every kind"), ...kinds.map((name) => element("option", {value: name}, name)));
    const said = element("p", {class: "dim", role: "status", id: "shown"});
    const apply = () => {
      const words = filter.value.toLowerCase();
      const left = callbacks.keep((row) => (!kind.value || row.kind === kind.value) && label(row.site).toLowerCase().includes(words));
      said.textContent = `${left} of ${report.callbacks.length} rows`;
    };
    filter.addEventListener("input", apply);
    kind.addEventListener("change", apply);
    section("Callbacks", element("div", {class: "tools"}, element("label", {for: "filter"}, "Function contains", filter),
      element("label", {for: "kind"}, "Kind", kind), said), callbacks.made);
    apply();
  }

  const blocks = report.loops.flatMap((loop) => loop.blocked.worst.map((block) => ({...block, pid: loop.pid, loop: loop.loop})))
    .filter((block) => block.duration_ns >= report.loops[0].blocked.threshold_ns);
  // What the class is about comes first; what is below 1 % of the block explains nothing.
  const filledBy = (block, name) => {
    const callbacks = block.callbacks.map((part) => ({name: name(part.site), ns: part.self_ns, count: part.count}));
    const calls = block.sync_calls.map((part) => ({name: `${part.kind} from ${name(part.called_from)}`, ns: part.ns, count: part.count}));
    const parts = (block.class === "sync_call" ? [...calls, ...callbacks] : [...callbacks, ...calls])
      .filter((part, i) => i === 0 || part.ns >= block.duration_ns / 100)
      .map((part) => [part.name, `${part.count > 1 ? ` ×${count(part.count)}` : ""} ${time(part.ns)}`]);
    return parts.length > 3 ? [...parts.slice(0, 3), ["…", ""]] : parts;
  };
  // Beside a script the callbacks are only the machinery.
  const scriptOf = (block) => (block.stack || []).find((frame) => frame.module === "js" && frame.file && !frame.file.startsWith("node:"));
  if (blocks.length) section("Worst blocks", table("Worst blocks", [
    times("at", (row) => since(row.begin_ns)), times("for", (row) => row.duration_ns), ...place,
    text("class", (row) => row.class),
    ...blocks.some(scriptOf) ? [text("held by", (row) => label(scriptOf(row)))] : [],
    entries("filled by", filledBy), ...blocks.some((row) => row.gc_ns) ? [times("gc", (row) => row.gc_ns)] : [],
    {title: "CPU", of: (row) => row.cpu_ns === null ? null : Math.min(1, row.cpu_ns / row.duration_ns), show: percent}], blocks, "for").made);

  const sources = [
    ...stacks.blocks.map((block) => ({stacks: block.stacks.map(([index, ns]) => [ns, stacks.stacks[index][1]]),
      title: `block of ${time(block.duration_ns)} at ${time(since(block.begin_ns))}${named(block)}`})),
    {title: "all blocks that were sampled", stacks: stacks.stacks}].filter((source) => source.stacks.length);
  if (sources.length) {
    const flame = makeFlame({element, percent, time, names: stacks.names});
    const tableOf = (rows) => table("Functions by time", [text("function", (row) => row.label, (row) => row.short), times("time in it", (row) => row.total),
      times("in it alone", (row) => row.own)], rows.sort((a, b) => b.total - a.total).slice(0, 100), "time in it").made;
    section("Who held the loop", element("p", {class: "dim"}, "The stacks that were sampled, the outermost function at the top, as wide as the time that they stand for. " +
      "A click or Enter zooms, Escape shows the whole, arrows move."), ...flame(sources, tableOf),
      ...stacks.left_out_ns ? [element("p", {class: "dim"}, `${time(stacks.left_out_ns)} of rare stacks were left out.`)] : []);
  }

  const collections = report.loops.flatMap((loop) => (loop.gc || []).map((row) => ({...row, pid: loop.pid, loop: loop.loop})));
  if (collections.length) section("Garbage collection", table("Garbage collections", [...place, text("kind", (row) => row.kind),
    counts("count", (row) => row.duration.count), times("sum", (row) => row.duration.sum_ns), times("p50", (row) => row.duration.p50_ns),
    times("p99", (row) => row.duration.p99_ns), times("max", (row) => row.duration.max_ns)], collections, "sum").made);

  const blame = report.blame;
  const before = {sync_call: "sync ", request: "worker "};
  const kindOf = (row) => row.kind ? `${before[row.what] || ""}${row.kind}` : "–";
  const idle = {poll: "the loop sleeping in poll", outside: "code outside of uv_run", libuv: "libuv itself", gc: "garbage collection",
    unknown: "something that the trace does not tell"};
  const who = (row, name) => idle[row.what] || name(row.site);
  // What scripts did in it, by its samples.
  const inScript = (row) => {
    const {ns, functions: [most]} = row.javascript;
    return {share: most.ns < ns ? `${Math.min(99, Math.max(1, 100 * most.ns / ns)).toFixed(0)} % ` : "", name: label(most.site)};
  };
  const allScripts = (row) => row.javascript && row.javascript.functions.map(({site, ns}) => `${label(site)} ${time(ns)} of ${time(row.javascript.ns)}`).join(", ");
  const often = (times) => times === 1 ? "once" : `${count(times)} times`;
  const sampled = (part) => {
    if (!part.javascript) return "";
    const {share, name} = inScript(part);
    return ` (sampled ${share}in ${name.replace(/ \(([^()]*)\)$/, ", $1")})`;
  };
  const because = (part, victim) => `${part.what === "callback" && part.kind === victim.kind && label(part.site) === label(victim.site)
    ? "its own earlier runs" : idle[part.what] || (part.what === "sync_call" ? `sync ${part.kind} from ${tag(part.site)}` : `${part.kind} ${tag(part.site)}`)}${sampled(part)}`;
  const suffering = (victim) => {
    const causes = victim.by.filter((part) => part.times).sort((a, b) => b.times - a.times).slice(0, 3);
    const one = victim.count === 1, left = victim.count - causes.reduce((sum, part) => sum + part.times, 0);
    return `${victim.kind} ${tag(victim.site)} ${victim.what === "request" ? "waited for a worker" : "was late"} ${often(victim.count)}, ` +
      `${one ? `by ${time(victim.worst_ns)}` : `${time(victim.worst_ns)} at worst`}${causes.length ? ": " : ""}` +
      causes.map((part) => `${one || part.times === victim.count ? one ? "mostly " : "" : `${often(part.times)} `}because of ${because(part, victim)}`).join(", ") +
      `${left ? `, ${often(left)} because of others` : ""}.`;
  };
  const causesOf = (victim, name) => victim.by.slice(0, 3).map((part) => [`${part.kind ? `${kindOf(part)} ` : ""}${who(part, name)}`, ` ${time(part.ns)}`]);
  if (blame && blame.victims.length) section("Who waited, and for whom", element("ul", {class: "victims"},
    ...blame.victims.slice(0, 10).map((victim) => element("li", {}, suffering(victim)))));
  if (blame && blame.culprits.length) section("Who made others wait", table("Culprits", [
    ...place, text("kind", kindOf), text("culprit", (row) => who(row, label), (row) => who(row, tag)),
    ...blame.culprits.some((row) => row.javascript) ? [text("sampled in", allScripts, (row) => row.javascript ? inScript(row).share + inScript(row).name : "–")] : [],
    counts("victims", (row) => row.victims), times("inflicted", (row) => row.inflicted_ns),
    times("at worst", (row) => row.worst_ns), times("in", (row) => row.wall_ns)], blame.culprits, "inflicted", "culprits").made);
  if (blame && blame.victims.length) section("Who waited", table("Victims", [
    ...place, text("kind", kindOf), text("victim", (row) => label(row.site)),
    counts("times", (row) => row.count), times("suffered", (row) => row.suffered_ns), times("at worst", (row) => row.worst_ns),
    entries("because of", causesOf)], blame.victims, "suffered", "victims").made);

  const splits = [["running", "running_ns"], ["delayed by others", "delayed_ns"], ["in the pool's queue", "queue_ns"], ["on a worker", "service_ns"], ["waiting", "waiting_ns"]];
  const splitBar = (row, whole) => element("div", {class: "split", role: "img", "aria-label": splits.filter(([, key]) => row[key]).map(([name, key]) => `${name} ${time(row[key])}`).join(", ")},
    ...splits.map(([name, key], i) => element("span", {class: `part${i}`, title: `${name} ${time(row[key])}`, style: `width:${(100 * row[key] / (whole || 1)).toFixed(2)}%`})));
  const spent = (row) => splits.filter(([, key]) => row[key]).map(([name, key]) => `${name} ${time(row[key])}`).join(", ");
  if (report.chains && report.chains.length) section("Slowest chains of callbacks",
    element("p", {class: "dim"}, "Which callback asked for which, and where the time between went."),
    element("p", {class: "key"}, ...splits.flatMap(([name], i) => [element("span", {class: `swatch part${i}`, "aria-hidden": "true"}), `${name} `])),
    ...report.chains.map((chain) => element("details", {class: "chain"}, element("summary", {},
      `${time(chain.total_ns)} from ${time(since(chain.begin_ns))} on, ${chain.steps.length} ${chain.steps.length === 1 ? "step" : "steps"} to ${tag(chain.steps[chain.steps.length - 1].site)}`,
      splitBar(chain, chain.total_ns), element("span", {class: "dim"}, spent(chain))),
      table(`Steps to operation ${chain.op}`, [text("kind", (row) => row.kind), text("callback", (row) => label(row.site)), times("at", (row) => since(row.begin_ns)),
        ...splits.map(([name, key]) => times(name, (row) => row[key]))], chain.steps.slice(0, 100)).made)));

  const requests = report.pool.flatMap((pool) => pool.requests.map((request) => ({...request, pid: pool.pid})));
  if (requests.length) section("Thread pool",
    ...report.pool.map((pool) => element("p", {}, `pid ${pool.pid}: ${pool.size ?? "–"} workers, ${percent(pool.utilization)} busy, saturated for ` +
      `${time(pool.saturated_ns)}, at most ${pool.max_queue_depth} waiting, ${pool.stuck.never_started + pool.stuck.never_finished} stuck.`)),
    table("Requests to the pool", [
      text("kind", (row) => row.kind), text("request", (row) => label(row.site)), counts("count", (row) => row.count),
      ...["queue", "service", "return"].flatMap((part) => [times(`${part} p99`, (row) => row[part] && row[part].p99_ns),
        times(`${part} max`, (row) => row[part] && row[part].max_ns)])], requests, "queue max", "requests").made);

  for (const pool of report.pool.filter((row) => row.what_if && row.what_if.recorded.max_ns >= 1e6 && row.what_if.threads.length > 1).slice(0, 4)) {
    const tried = pool.what_if.threads;
    const chosen = tried.filter((row) => (row.threads & (row.threads - 1)) === 0 || row.threads === pool.size);
    section(`With another UV_THREADPOOL_SIZE${report.pool.length > 1 ? ` (pid ${pool.pid})` : ""}`,
      element("p", {class: "dim"}, `The ${count(pool.what_if.requests)} recorded requests, replayed through pools of 1 to ${tried.length} threads; ${pool.size ?? "–"} were recorded. ` +
        "Computing gets no faster with more threads than cores."),
      element("div", {class: "charts"}, chart("What requests would have waited for a worker", tried.map((row) => row.threads), [
        {label: "99 of 100 up to", scale: "wait", values: tried.map((row) => row.p99_ns), show: time},
        {label: "in all", scale: "sum", values: tried.map((row) => row.sum_ns), show: time}], {xShow: (x) => String(x), xLabel: "threads"}),
      table("Waits by the number of threads", [numbers("threads", (row) => row.threads), times("p99", (row) => row.p99_ns), times("max", (row) => row.max_ns),
        times("sum", (row) => row.sum_ns)], chosen).made));
  }

  if (report.sync_calls.length) section("Synchronous calls", table("Synchronous calls", [
    text("kind", (row) => row.kind), text("called from", (row) => label(row.called_from)), counts("count", (row) => row.duration.count),
    times("sum", (row) => row.duration.sum_ns), times("max", (row) => row.duration.max_ns)], report.sync_calls, "sum", "sync_calls").made);

  if (many) section("Loops", table("Loops", [numbers("pid", (row) => row.pid), numbers("loop", (row) => row.loop), text("thread", (row) => row.name),
    {title: "utilization", of: (row) => row.utilization, show: percent}, counts("iterations", (row) => row.iterations), times("busy", (row) => row.busy_ns),
    times("poll", (row) => row.poll_ns), times("block p99", (row) => row.block.p99_ns), times("block max", (row) => row.block.max_ns),
    counts("blocked", (row) => row.blocked.count)], report.loops, "block max", "loops").made);

  const loss = report.trace.loss;
  const when = (range) => {
    const [begin, end] = [since(range.begin_ns), since(range.end_ns)];
    if (end >= report.trace.duration_ns) return `from ${time(begin)} on`;
    return end - begin < 1e6 ? `at ${time(begin)}` : `between ${time(begin)} and ${time(end)}`;
  };
  const facts = [["Trace", report.trace.path], ["Events", `${count(report.trace.events)} in ${time(report.trace.duration_ns)}, read by ${report.trace.reader}`],
    ["Lost", loss.events === null || loss.packets === null ? "an unknown number of events" : loss.events || loss.packets
      ? `${count(loss.events)} events, ${count(loss.packets)} packets`
      : loss.intervals.length ? "a processor's first events; how many is not known" : "nothing"],
    ["Incomplete", report.trace.incomplete],
    ["Lost when", loss.intervals.length ? loss.intervals.slice(0, 10).map(when).join(", ") +
      (loss.intervals.length > 11 ? ` and ${loss.intervals.length - 10} more times` : loss.intervals.length > 10 ? " and once more" : "") : null],
    ["Unknown", loss.spans_unknown ? `self time and block of ${count(loss.spans_unknown)} callbacks` : null],
    ...report.processes.map((row) => [`Process ${row.pid}`, [(row.argv || [row.exe]).join(" "), row.libuv && `libuv ${row.libuv}`, row.hooks,
      row.exit && `ended: ${row.exit}`].filter(Boolean).join(" · ")]),
    ["Made by", `uvscope ${report.uvscope}, schema ${report.schema}`]];
  section("Trace", element("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));

  // What one reads first; the rest follows as it was made.
  const rest = element("span");
  main.insertBefore(rest, main.querySelector("section"));
  for (const id of ["findings", "over-time", "worst-blocks", "who-held-the-loop", "garbage-collection", "who-waited-and-for-whom",
    "who-made-others-wait", "who-waited", "slowest-chains-of-callbacks", "callbacks", "percentiles"]) {
    const found = document.getElementById(id);
    if (found) main.insertBefore(found.parentElement, rest);
  }

  draw();
  dark.addEventListener("change", draw);
  let waiting;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(draw, 150); });
  document.documentElement.dataset.ready = "true";
})();
