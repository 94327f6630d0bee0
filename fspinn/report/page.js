// A mark shows what the table says of its trial, and the same trial lights up in all charts.
const tip = document.getElementById("tip");
const heads = [...document.querySelectorAll("#trials th")].map(head => head.textContent);
let lit = [];

function show(mark) {
  const row = document.getElementById("t" + mark.dataset.t);
  lit = [row, ...document.querySelectorAll(`circle[data-t="${mark.dataset.t}"]`)];
  lit.forEach(one => one.classList.add("on"));
  tip.replaceChildren(...[...row.cells].map((cell, k) => {
    const line = document.createElement(k ? "div" : "b");
    line.textContent = k ? `${heads[k]}: ${cell.textContent.trim()}` : cell.textContent.trim();
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

document.querySelectorAll("circle[data-t]").forEach(mark => {
  mark.addEventListener("pointerenter", () => show(mark));
  mark.addEventListener("pointerleave", hide);
});
