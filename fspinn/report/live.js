// What is new is drawn again; what the reader has opened, chosen, scrolled to and stands on stays.
const state = document.getElementById("state");
let seen = "";

function redraw(html) {
  const stops = "button, select, summary, [tabindex]:not(.mark)", all = what => [...document.querySelectorAll(what)];
  const at = document.activeElement, mark = at.matches(".mark");
  const where = mark ? all("g.marks").indexOf(at.parentNode) : all(stops).indexOf(at);
  const open = all("details").filter(one => one.open).map(one => one.id);
  const chosen = all("select").map(one => one.value), across = all(".wide").map(one => one.scrollLeft);
  const [left, top] = [scrollX, scrollY];
  hide();
  main.innerHTML = html;
  document.title = main.querySelector("h1")?.textContent ?? document.title;
  all("details").forEach(one => { one.open = open.includes(one.id); });
  setUp();
  if (chosen.length) all("select").forEach((one, k) => { one.value = chosen[k]; });
  all("#any").forEach(any => any.redraw());
  const head = sorted && all("#trials thead th").find(one => one.textContent === sorted.name);
  if (head) sort(head, sorted.direction);
  all(".wide").forEach((one, k) => { one.scrollLeft = across[k] ?? 0; });
  scrollTo(left, top);
  const same = `.mark[data-t="${at.dataset.t}"]`;
  const next = mark ? all("g.marks")[where]?.querySelector(same) : all(stops)[where];
  next?.focus({preventScroll: true});
}

async function follow() {
  try {
    const answer = await fetch("data.json", {cache: "no-cache"}), version = answer.headers.get("ETag");
    if (version !== seen) {
      const data = await answer.json();
      if (state.textContent !== data.state) state.textContent = data.state;
      redraw(data.html);
      seen = version;
    }
  } catch {
    state.textContent = "The command that serves this page has ended.";
    seen = "";
  }
  setTimeout(follow, 2000);
}

follow();
