// SPDX-License-Identifier: MIT
// Flame graphs: stacks as nested boxes, the outermost function at the top, as wide as the time that its samples stand for.
// By keyboard a tree: arrows move, Enter zooms, Escape shows the whole.
"use strict";
const makeFlame = ({element, percent, time, names}) => {
  const rowHeight = 21, leastShare = 0.002, ancestorsShown = 2;

  // stacks: [ns, [number of a name, outermost first]].
  const treeOf = (stacks) => {
    const root = {name: -1, ns: 0, own: 0, children: new Map(), parent: null};
    for (const [ns, frames] of stacks) {
      let at = root;
      at.ns += ns;
      for (const name of frames) {
        if (!at.children.has(name)) at.children.set(name, {name, ns: 0, own: 0, children: new Map(), parent: at});
        at = at.children.get(name);
        at.ns += ns;
      }
      at.own += ns;
    }
    return root;
  };
  const childrenOf = (node) => [...node.children.values()].sort((a, b) => b.ns - a.ns);
  // Names are [short, "js" or "", whole if that is longer].
  const labelOf = (node) => node.name < 0 ? "all stacks" : names[node.name][0];
  const wholeOf = (node) => node.name < 0 ? "all stacks" : names[node.name][2] || names[node.name][0];
  const isScript = (node) => node.name >= 0 && names[node.name][1] === "js";

  // What all stacks have in common says nothing: it begins where they part, or where the program's own code does.
  const trunkOf = (root) => {
    let at = root;
    while (at.children.size === 1 && at.own === 0 && !isScript(at)) at = childrenOf(at)[0];
    return at.parent && !isScript(at) && at.children.size === 0 ? at.parent : at;
  };

  // Time by function: in it, and in it alone.
  const functionsOf = (stacks) => {
    const rows = new Map();
    const row = (name) => rows.get(name) || rows.set(name, {name, total: 0, own: 0}).get(name);
    for (const [ns, frames] of stacks) {
      for (const name of new Set(frames)) row(name).total += ns;
      if (frames.length) row(frames[frames.length - 1]).own += ns;
    }
    return [...rows.values()].map((found) => ({label: names[found.name][2] || names[found.name][0], short: names[found.name][0], total: found.total, own: found.own}));
  };

  const draw = (place, status, root, state) => {
    const {zoomed, words} = state;
    const boxes = new Map();
    const whole = zoomed.ns || 1;
    const matches = (node) => words && wholeOf(node).toLowerCase().includes(words);
    let deepest = 0, first = null;
    const box = (node, depth, left, width, className) => {
      const said = `${wholeOf(node)}, ${time(node.ns)} of ${time(root.ns)}, ${percent(node.ns / root.ns)}`;
      const made = element("button", {type: "button", role: "treeitem", class: `frame ${className}${isScript(node) ? " script" : ""}${matches(node) ? " found" : ""}`,
        tabindex: "-1", "aria-level": String(depth + 1), "aria-label": said, title: said,
        style: `left:${(100 * left).toFixed(3)}%;width:${(100 * width).toFixed(3)}%;top:${depth * rowHeight}px`}, labelOf(node));
      made.addEventListener("click", () => state.zoom(node));
      boxes.set(node, made);
      first = first || made;
      deepest = Math.max(deepest, depth);
    };
    const ancestors = [];
    for (let at = zoomed.parent; at; at = at.parent) ancestors.unshift(at);
    const left_out = Math.max(0, ancestors.length - ancestorsShown - 1);
    const shown = left_out ? [ancestors[0], ...ancestors.slice(-ancestorsShown)] : ancestors;
    shown.forEach((node, depth) => box(node, depth, 0, 1, "outer"));
    if (left_out) boxes.get(shown[0]).textContent = `all stacks … ${left_out} outer frames`;
    // Without recursion: stacks may be deep.
    const waiting = [[zoomed, shown.length, 0]];
    while (waiting.length) {
      const [node, depth, begin] = waiting.pop();
      if (node.ns / whole < leastShare) continue;
      box(node, depth, begin, node.ns / whole, "");
      let left = begin;
      for (const child of childrenOf(node)) {
        waiting.push([child, depth + 1, left]);
        left += child.ns / whole;
      }
    }
    place.replaceChildren(...boxes.values());
    place.style.height = `${(deepest + 1) * rowHeight}px`;
    first.tabIndex = 0;
    const found = words ? sumFound(root, matches) : 0;
    status.textContent = words ? `${percent(found / (root.ns || 1))} of the time is in functions that contain “${words}”`
      : `${time(root.ns)}; ${zoomed === root ? "the whole" : `zoomed to ${labelOf(zoomed)}, ${percent(zoomed.ns / (root.ns || 1))}`}`;
    state.boxes = boxes;
  };
  const sumFound = (root, matches) => {
    let sum = 0;
    const waiting = [root];
    while (waiting.length) {
      const node = waiting.pop();
      if (matches(node)) sum += node.ns;
      else waiting.push(...node.children.values());
    }
    return sum;
  };

  const siblingOf = (node, step) => {
    if (!node.parent) return null;
    const all = childrenOf(node.parent);
    return all[all.indexOf(node) + step] || null;
  };
  const neighbours = {
    ArrowDown: (node) => childrenOf(node)[0], ArrowUp: (node) => node.parent,
    ArrowRight: (node) => siblingOf(node, 1), ArrowLeft: (node) => siblingOf(node, -1),
  };

  // sources: {title, stacks}. One is shown at a time.
  return (sources, tableOf) => {
    const place = element("div", {class: "flame", role: "tree", "aria-label": "Stacks, the outermost function first"});
    const status = element("p", {class: "dim", role: "status", id: "flame-status"});
    const choice = element("select", {id: "flame-of"}, ...sources.map((source, i) => element("option", {value: String(i)}, source.title)));
    const search = element("input", {type: "search", id: "flame-search", autocomplete: "off"});
    const whole = element("button", {type: "button", id: "flame-whole"}, "Whole");
    const list = element("div");
    const state = {words: "", root: null, zoomed: null, boxes: new Map()};
    state.zoom = (node) => {
      state.zoomed = node;
      draw(place, status, state.root, state);
      state.boxes.get(node).focus({preventScroll: true});
    };
    const show = () => {
      const {stacks} = sources[Number(choice.value)];
      state.root = treeOf(stacks);
      state.zoomed = trunkOf(state.root);
      draw(place, status, state.root, state);
      list.replaceChildren(tableOf(functionsOf(stacks)));
    };
    const focus = (node) => {
      const box = node && state.boxes.get(node);
      if (!box) return;
      for (const other of state.boxes.values()) other.tabIndex = -1;
      box.tabIndex = 0;
      box.focus();
    };
    place.addEventListener("keydown", (event) => {
      const found = [...state.boxes].find(([, box]) => box === event.target);
      if (event.key === "Escape") state.zoom(state.root);
      else if (found && neighbours[event.key]) focus(neighbours[event.key](found[0]));
      else return;
      event.preventDefault();
    });
    search.addEventListener("input", () => {
      state.words = search.value.toLowerCase();
      draw(place, status, state.root, state);
    });
    choice.addEventListener("change", show);
    whole.addEventListener("click", () => state.zoom(state.root));
    show();
    return [element("div", {class: "tools"}, element("label", {for: "flame-of"}, "Stacks of", choice),
      element("label", {for: "flame-search"}, "Function contains", search), whole), status, place,
      element("details", {}, element("summary", {}, "Functions by time"), list)];
  };
};
