const main = document.querySelector("main"), tip = document.getElementById("tip");
let lit = [], sorted = null;

// A mark shows what the table says of its trial, and the same trial lights up in all charts.
function wordsOf(mark) {
  const row = document.getElementById("t" + mark.dataset.t);
  if (!row) return [mark.dataset.words];
  const heads = document.querySelectorAll("#trials thead th");
  return [...row.cells].map((cell, k) => [k ? `${heads[k].textContent}: ` : "", cell.textContent.trim()])
    .filter(([, text]) => text).map(([head, text]) => head + text);
}

function show(mark) {
  const row = document.getElementById("t" + mark.dataset.t);
  lit = row ? [row, ...document.querySelectorAll(`.mark[data-t="${mark.dataset.t}"]`)] : [mark];
  lit.forEach(one => one.classList.add("on"));
  tip.replaceChildren(...wordsOf(mark).map((text, k) => {
    const line = document.createElement(k ? "div" : "b");
    line.textContent = text;
    return line;
  }));
  tip.style.display = "block";
  const at = mark.getBoundingClientRect();
  const left = Math.min(at.right + 8, document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(left, 8) + scrollX}px`;
  tip.style.top = `${at.bottom + 8 + scrollY}px`;
}

function hide() {
  lit.forEach(one => one.classList.remove("on"));
  tip.style.display = "none";
}

["pointerover", "focusin"].forEach(name => document.addEventListener(name, event => {
  hide();
  if (event.target.matches(".mark")) show(event.target);
}));

// The marks of a chart are one stop of the Tab key; arrow keys go from one to the next, from left to right.
const acrossOf = mark => mark.transform.baseVal[0].matrix.e;

function list(group) {
  const marks = [...group.children];
  marks.forEach(mark => {
    mark.setAttribute("role", "option");
    mark.setAttribute("aria-selected", "false");
    mark.setAttribute("aria-label", wordsOf(mark).join(", "));
    mark.setAttribute("tabindex", mark === marks.at(-1) ? 0 : -1);
  });
}

document.addEventListener("keydown", event => {
  if (event.key === "Escape") hide();
  if (!event.target.matches(".mark")) return;
  const marks = [...event.target.parentNode.children].sort((one, other) => acrossOf(one) - acrossOf(other));
  const at = marks.indexOf(event.target), last = marks.length - 1;
  const to = {
    ArrowRight: Math.min(at + 1, last), ArrowDown: Math.min(at + 1, last),
    ArrowLeft: Math.max(at - 1, 0), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  [[event.target, -1, false], [marks[to], 0, true]].forEach(([mark, stop, selected]) => {
    mark.setAttribute("tabindex", stop);
    mark.setAttribute("aria-selected", selected);
  });
  marks[to].focus();
});

// The heads of the table of all trials sort it.
function sort(head, direction) {
  sorted = {name: head.textContent, direction};
  const table = head.closest("table"), column = head.cellIndex, up = direction === "ascending" ? 1 : -1;
  const valueOf = row => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const compare = (one, other) => {
    if (one === "-" || other === "-") return (one === "-") - (other === "-");  // what is not known comes last
    return up * (one - other || one.localeCompare(other, "en", {numeric: true}));
  };
  const rows = [...table.tBodies[0].rows].sort((one, other) => compare(valueOf(one), valueOf(other)));
  table.tBodies[0].append(...rows);
  table.querySelectorAll("thead th").forEach(other => {
    other.setAttribute("aria-sort", other === head ? direction : "none");
  });
}

function sortable(head) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  head.replaceChildren(button);
  head.setAttribute("aria-sort", "none");
  button.addEventListener("click", () => {
    sort(head, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
  });
}

// Any two quantities against each other, as wide as there is space.
function draw(any, {axes, points, shapes}, across, up) {
  const width = Math.max(any.clientWidth, 300), height = 400;
  any.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const sides = {left: 64, right: width - 24, top: 12, bottom: height - 44};
  const drawn = points.filter(one => one.values[across] !== null && one.values[up] !== null);
  const add = (to, name, attributes, text = "") => {
    const one = document.createElementNS(any.namespaceURI, name);
    Object.entries(attributes).forEach(([key, value]) => one.setAttribute(key, value));
    one.textContent = text;
    to.append(one);
    return one;
  };
  const axis = (number, from, to) => {
    const log = axes[number].log, costs = drawn.map(one => one.values[number]);
    const nothing = Math.min(...costs.filter(cost => cost > 0), 1e12) / 2;  // where 0 is on a logarithmic axis
    const along = value => log ? Math.log10(value > 0 ? value : nothing) : value;
    const values = costs.map(along);
    const spare = (Math.max(...values) - Math.min(...values)) * .05 || (log ? .1 : 1);
    const low = Math.min(...values) - spare, high = Math.max(...values) + spare;
    const ticks = [], digits = high - low < 2 || (high - low < 4 && Math.abs(to - from) > 500) ? [1, 2, 5] : [1];
    if (log) {
      for (let power = Math.floor(low); power <= high; power++) {
        digits.forEach(digit => ticks.push(digit * 10 ** power));
      }
      if (costs.includes(0)) ticks.splice(0, ticks.length, 0, ...ticks.filter(tick => tick > 1.5 * nothing));
    } else {
      const most = Math.abs(to - from) / 45;
      const step = [1, 2, 5, 10, 20].find(one => (high - low) / one <= Math.min(most, 8)) || 50;
      for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
    }
    const place = value => from + (along(value) - low) / (high - low) * (to - from);
    return {place, ticks: ticks.filter(tick => along(tick) >= low && along(tick) <= high)};
  };
  const x = axis(across, sides.left, sides.right), y = axis(up, sides.bottom, sides.top);
  const said = tick => tick.toLocaleString("en", {maximumSignificantDigits: 3});
  any.replaceChildren();
  add(any, "title", {}, `${axes[up].name} against ${axes[across].name}`);
  const around = add(any, "g", {"aria-hidden": true});
  x.ticks.forEach(tick => {
    add(around, "path", {class: "tick", d: `M${x.place(tick)} ${sides.bottom}v4`});
    add(around, "text", {x: x.place(tick), y: sides.bottom + 16, "text-anchor": "middle"}, said(tick));
  });
  y.ticks.forEach(tick => {
    add(around, "path", {class: "tick", d: `M${sides.left} ${y.place(tick)}H${sides.right}`});
    add(around, "text", {x: sides.left - 6, y: y.place(tick) + 4, "text-anchor": "end"}, said(tick));
  });
  add(around, "path", {class: "frame", d: `M${sides.left} ${sides.top}V${sides.bottom}H${sides.right}`});
  const middle = (sides.top + sides.bottom) / 2;
  const below = {x: (sides.left + sides.right) / 2, y: height - 8, "text-anchor": "middle"};
  add(around, "text", below, axes[across].name);
  add(around, "text", {transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle"}, axes[up].name);
  const named = `Trials and classifiers by ${axes[across].name}`;
  const marks = add(any, "g", {class: "marks", role: "listbox", "aria-label": named});
  const order = ["tried", "linear", "ann", "front", "winner"];
  drawn.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind)).forEach(one => {
    const place = `translate(${x.place(one.values[across])} ${y.place(one.values[up])})`;
    const mark = add(marks, "path", {
      class: `mark ${one.kind}`, d: shapes[one.mark], transform: `${place} scale(${one.kind === "winner" ? 7 : 4})`,
    });
    if ("trial" in one) mark.dataset.t = one.trial; else mark.dataset.words = one.words;
  });
  list(marks);
}

function anyTwo(any) {
  const known = JSON.parse(document.getElementById("any-two").textContent);
  const [across, up] = ["across", "up"].map(id => document.getElementById(id));
  any.redraw = () => draw(any, known, +across.value, +up.value);
  [across, up].forEach(select => {
    known.axes.forEach(({name}, k) => select.add(new Option(name, k)));
    select.addEventListener("change", any.redraw);
  });
  across.value = Math.min(1, known.axes.length - 1);
  any.redraw();
}

function setUp() {
  document.querySelectorAll("#trials thead th").forEach(sortable);
  document.querySelectorAll("g.marks").forEach(list);
  document.querySelectorAll("#any").forEach(anyTwo);
}

setUp();
let wide = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== wide) document.querySelectorAll("#any").forEach(any => any.redraw());
  wide = innerWidth;
});

// On paper all trials are listed.
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach(one => { one.open = true; });
});
addEventListener("afterprint", () => closed.forEach(one => { one.open = false; }));
