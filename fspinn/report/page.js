// A mark shows what the table says of its trial, and the same trial lights up in all charts.
const tip = document.getElementById("tip");
const heads = [...document.querySelectorAll("#trials th")].map(head => head.textContent);
let lit = [];

function show(mark) {
  const row = document.getElementById("t" + mark.dataset.t);
  lit = row ? [row, ...document.querySelectorAll(`.mark[data-t="${mark.dataset.t}"]`)] : [mark];
  lit.forEach(one => one.classList.add("on"));
  const words = row ? [...row.cells].map((cell, k) => (k ? `${heads[k]}: ` : "") + cell.textContent.trim())
    : [mark.dataset.words];
  tip.replaceChildren(...words.map((text, k) => {
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

function follow(mark) {
  mark.addEventListener("pointerenter", () => show(mark));
  mark.addEventListener("pointerleave", hide);
}

document.querySelectorAll(".mark").forEach(follow);

// Any two quantities against each other.
const any = document.getElementById("any");

function draw({axes, points, shapes}, across, up) {
  const {width, height} = any.viewBox.baseVal;
  const sides = {left: 64, right: width - 24, top: 12, bottom: height - 44};
  const drawn = points.filter(one => one.values[across] !== null && one.values[up] !== null);
  const add = (name, attributes, text = "") => {
    const one = document.createElementNS(any.namespaceURI, name);
    Object.entries(attributes).forEach(([key, value]) => one.setAttribute(key, value));
    one.textContent = text;
    any.append(one);
    return one;
  };
  const axis = (number, from, to) => {
    const log = axes[number].log, costs = drawn.map(one => one.values[number]);
    const nothing = Math.min(...costs.filter(cost => cost > 0), 1e12) / 2;  // where 0 is on a logarithmic axis
    const along = value => log ? Math.log10(value > 0 ? value : nothing) : value;
    const values = costs.map(along);
    const spare = (Math.max(...values) - Math.min(...values)) * .05 || (log ? .1 : 1);
    const low = Math.min(...values) - spare, high = Math.max(...values) + spare;
    const ticks = [];
    if (log) {
      for (let power = Math.floor(low); power <= high; power++) {
        (high - low < 4 ? [1, 2, 5] : [1]).forEach(digit => ticks.push(digit * 10 ** power));
      }
      if (costs.includes(0)) ticks.splice(0, ticks.length, 0, ...ticks.filter(tick => tick > 1.5 * nothing));
    } else {
      const step = [1, 2, 5, 10, 20].find(one => (high - low) / one <= 8) || 50;
      for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
    }
    const place = value => from + (along(value) - low) / (high - low) * (to - from);
    return {place, ticks: ticks.filter(tick => along(tick) >= low && along(tick) <= high)};
  };
  const x = axis(across, sides.left, sides.right), y = axis(up, sides.bottom, sides.top);
  const said = tick => tick.toLocaleString("en", {maximumSignificantDigits: 3});
  any.replaceChildren();
  add("title", {}, `${axes[up].name} against ${axes[across].name}`);
  x.ticks.forEach(tick => {
    add("path", {class: "tick", d: `M${x.place(tick)} ${sides.bottom}v4`});
    add("text", {x: x.place(tick), y: sides.bottom + 16, "text-anchor": "middle"}, said(tick));
  });
  y.ticks.forEach(tick => {
    add("path", {class: "tick", d: `M${sides.left} ${y.place(tick)}H${sides.right}`});
    add("text", {x: sides.left - 6, y: y.place(tick) + 4, "text-anchor": "end"}, said(tick));
  });
  add("path", {class: "frame", d: `M${sides.left} ${sides.top}V${sides.bottom}H${sides.right}`});
  const middle = (sides.top + sides.bottom) / 2;
  add("text", {x: (sides.left + sides.right) / 2, y: height - 8, "text-anchor": "middle"}, axes[across].name);
  add("text", {transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle"}, axes[up].name);
  const order = ["tried", "linear", "ann", "front", "winner"];
  drawn.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind)).forEach(one => {
    const place = `translate(${x.place(one.values[across])} ${y.place(one.values[up])})`;
    const mark = add("path", {
      class: `mark ${one.kind}`, d: shapes[one.mark], transform: `${place} scale(${one.kind === "winner" ? 7 : 4})`,
    });
    if ("trial" in one) mark.dataset.t = one.trial; else mark.dataset.words = one.words;
    follow(mark);
  });
}

if (any) {
  const known = JSON.parse(document.getElementById("any-two").textContent);
  const [across, up] = ["across", "up"].map(id => document.getElementById(id));
  [across, up].forEach(select => {
    known.axes.forEach(({name}, k) => select.add(new Option(name, k)));
    select.addEventListener("change", () => draw(known, +across.value, +up.value));
  });
  across.value = Math.min(1, known.axes.length - 1);
  draw(known, +across.value, +up.value);
}
