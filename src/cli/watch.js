"use strict";
/* watch.js: the page of `tenon watch`: it listens to the events that follow.c describes, and draws all runs anew, at most
 * once a frame. All texts are text to the page, wherever they come from. */

const COLOURS = 8, WIDE = 400, HIGH = 250, LEFT = 56, RIGHT = 384, TOP = 30, BOTTOM = 214, MOST_CONFUSED = 30, POINTS = 600;
const main = document.getElementById("main");
let runs = [], connected = false, logarithmic = false, open = new Set(), asked = false;

/* ---- making elements ---- */

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (value !== null) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}
const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/* ---- numbers ---- */

const isNumber = (value) => typeof value === "number" && isFinite(value);
const extreme = (value) => value && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7);
const brief = (value) => (extreme(value) ? value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e") : String(Number(value.toPrecision(4))));
const short = (value) => (isNumber(value) ? brief(value) : "–");
const percent = (value) => (isNumber(value) ? (100 * value).toFixed(2) + " %" : "–");
function duration(seconds) {
  if (!isNumber(seconds)) return "–";
  if (seconds < 60) return seconds.toFixed(seconds < 10 ? 1 : 0) + " s";
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? minutes + " min" : Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
}

/* ---- what came of a run ---- */

const colourOf = (run) => `var(--run${run.number % COLOURS})`;
const held = (run) => (run.epochs.some((e) => isNumber(e.validation_loss)) ? "validation" : "test");
const measured = (run) => [run.end, run.epochs[run.epochs.length - 1]].map((line) => line && (line.test || line.validation)).find((m) => m) || {};
const planned = (run) => (run.head && run.head.settings && run.head.settings.epochs) || null;
function stateOf(run) {
  if (!run.head && !run.epochs.length) return "waiting for a training's lines";
  if (!run.end) return "running";
  return run.end.done ? "done" : "stopped: " + (run.end.reason || "no reason was given");
}
function left(run) {
  const times = run.epochs.slice(-5).map((e) => e.seconds).filter(isNumber), all = planned(run);
  if (run.end || !times.length || !all) return null;
  return (times.reduce((a, b) => a + b) / times.length) * (all - run.epochs[run.epochs.length - 1].epoch);
}
function bestOf(run) {
  const of = held(run) + "_loss";
  const judged = run.epochs.map((e) => [isNumber(e[of]) ? e[of] : e.loss, e.epoch]).filter(([loss]) => isNumber(loss));
  return judged.length ? judged.reduce((a, b) => (b[0] < a[0] ? b : a))[1] : null;
}

/* ---- cards ---- */

const MEASURES = [["r2", "R²", short], ["mae", "MAE", short], ["rmse", "RMSE", short], ["f1", "F1", short],
  ["balanced_accuracy", "balanced accuracy", percent], ["roc_auc", "ROC area", short], ["perplexity", "perplexity", short], ["bits_per_byte", "bits per byte", short],
  ["bits_per_character", "bits per character", short]];

function values(run) {
  const last = run.epochs[run.epochs.length - 1], list = [], set = held(run);
  const add = (name, text) => { if (text !== "–") list.push(make("div", {}, make("b", {}, text), name)); };
  if (!last) return list;
  add("training loss", short(last.loss));
  add(set + " loss", short(last[set + "_loss"]));
  add("accuracy", percent(last.accuracy));
  add(set + " accuracy", percent(last[set + "_accuracy"]));
  for (const [key, name, text] of MEASURES) add(name, text(measured(run)[key]));
  add("best epoch", bestOf(run) === null ? "–" : String(bestOf(run)));
  add("samples/s", isNumber(last.samples_per_s) && last.seconds >= 0.05 ? String(Math.round(last.samples_per_s)) : "–");
  add("left", left(run) === null ? "–" : duration(left(run)));
  return list;
}

function details(run) {
  if (!run.head) return null;
  const id = "settings" + run.number, pairs = [["device", run.head.device], ["parameters", run.head.parameters],
    ["samples", run.head.samples], ["began", run.head.began], ["tenon", run.head.tenon],
    ...Object.entries(run.head.settings || {})].filter(([, value]) => value !== null && value !== undefined);
  const list = pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]);
  const box = make("details", { open: open.has(id) ? "" : null }, make("summary", {}, "settings"), make("dl", {}, ...list));
  box.addEventListener("toggle", () => (box.open ? open.add(id) : open.delete(id)));
  return box;
}

function card(run) {
  const all = planned(run), last = run.epochs.length ? run.epochs[run.epochs.length - 1].epoch : 0, head = run.head;
  const of = head && head.settings ? `${head.settings.net || ""} on ${head.settings.data || ""}` : "";
  const where = last ? `, epoch ${last}` + (all ? ` of ${all}` : "") : "";
  return make("article", { class: "run", "--colour": colourOf(run) }, make("h2", {}, run.name), make("p", { class: "soft" }, of),
    make("p", { class: "state" }, make("span", { class: "dot" }), stateOf(run) + where),
    all ? make("div", { class: "bar" }, make("i", { style: `width:${Math.min(100, (100 * last) / all)}%` })) : null,
    make("div", { class: "values" }, ...values(run)),
    ...run.bad.slice(0, 5).map(([line, why]) => make("p", { class: "bad" }, `line ${line} ${why}`)),
    run.bad.length > 5 ? make("p", { class: "bad" }, `and ${run.bad.length - 5} more lines that are none`) : null, details(run));
}

/* ---- charts ---- */

/* Few enough points for a screen; the last one always. */
function thin(points) {
  const every = Math.ceil(points.length / POINTS);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

function step(span, least) {
  const power = 10 ** Math.floor(Math.log10(span / 4)), times = span / 4 / power;
  return Math.max(power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10), least);
}

function range(numbers, least) {
  let low = Math.min(...numbers), high = Math.max(...numbers);
  if (high - low < least * 1e-9 || high === low) { const pad = Math.abs(high) / 10 || 1; low -= pad; high += pad; }
  const by = step(high - low, least);
  return { low: Math.floor(low / by + 1e-9) * by, high: Math.ceil(high / by - 1e-9) * by, by };
}

function ticks({ low, high, by }) {
  const at = [];
  for (let i = 0; low + i * by <= high + by / 2 && i < 20; i++) at.push(Math.abs(low + i * by) < by / 1e6 ? 0 : low + i * by);
  return at;
}

function lines(fields, log) {
  return runs.flatMap((run) => fields.map(([field, kind, factor]) => ({ run, kind, points: thin(run.epochs
    .map((e) => [e.epoch, isNumber(e[field]) ? e[field] * factor : NaN])
    .map(([x, y]) => [x, log ? (y > 0 ? Math.log10(y) : NaN) : y]).filter(([x, y]) => isFinite(x) && isFinite(y))) })))
    .filter((line) => line.points.length);
}

function chart(title, unit, fields, log) {
  const all = lines(fields, log), xs = all.flatMap((l) => l.points.map((p) => p[0])), ys = all.flatMap((l) => l.points.map((p) => p[1]));
  if (!xs.length) return null;
  const y = range(ys, 0), high = Math.max(...xs), x = { low: 1, high: Math.max(high, 2), by: step(Math.max(high - 1, 1), 1) };
  const px = (v) => LEFT + ((RIGHT - LEFT) * (v - x.low)) / (x.high - x.low), py = (v) => BOTTOM - ((BOTTOM - TOP) * (v - y.low)) / (y.high - y.low);
  const grid = ticks(y).flatMap((v) => [draw("path", { class: "grid", d: `M${LEFT} ${py(v)}H${RIGHT}` }),
    draw("text", { class: "y", x: LEFT - 6, y: py(v) + 4 }, (log ? short(10 ** v) : short(v)) + unit)]);
  const marks = [];
  for (let v = 1; v <= x.high; v = v === 1 && x.by > 1 ? x.by : v + x.by)
    if (v === 1 || px(v) - px(1) > 24) marks.push(draw("text", { class: "x", x: px(v), y: BOTTOM + 18 }, String(Math.round(v))));
  const paths = all.map(({ run, kind, points }) => draw("path", { class: "line " + kind, "--colour": colourOf(run),
    d: points.map(([a, b], i) => `${i ? "L" : "M"}${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join("") + (points.length > 1 ? "" : "h4") }));
  return make("figure", {}, draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": title },
    draw("text", { class: "title", x: 8, y: 16 }, title), ...grid,
    draw("path", { class: "axis", d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}` }), ...marks,
    draw("text", { class: "x", x: (LEFT + RIGHT) / 2, y: BOTTOM + 33 }, "epoch"), ...paths));
}

function charts() {
  const box = make("input", { type: "checkbox", id: "log" });
  box.checked = logarithmic;
  box.addEventListener("change", () => { logarithmic = box.checked; ask(); });
  const figures = [chart("loss", "", [["loss", "", 1], ["test_loss", "held", 1], ["validation_loss", "valid", 1]], logarithmic),
    chart("accuracy", " %", [["accuracy", "", 100], ["test_accuracy", "held", 100], ["validation_accuracy", "valid", 100]], false),
    chart("learning rate", "", [["rate", "", 1]], logarithmic), chart("seconds an epoch", "", [["seconds", "", 1]], false)]
    .filter((figure) => figure !== null);
  if (!figures.length) return null;
  return make("section", { id: "curves" }, make("h2", {}, "Curves"), make("p", { class: "soft" }, "Full lines are of training, dashed ones of test samples, dotted ones of validation."),
    make("p", {}, box, make("label", { for: "log" }, " logarithmic scale")), make("div", { class: "charts" }, ...figures));
}

/* ---- confusion, as the last epoch has it ---- */

function confusion(run) {
  const { confusion: matrix, classes } = measured(run);
  if (!matrix || matrix.length > MOST_CONFUSED) return null;
  const names = (classes || []).map((c) => String(c.class));
  const rows = matrix.map((row, i) => {
    const all = row.reduce((a, b) => a + b, 0);
    return make("tr", {}, make("th", {}, names[i] ?? String(i)), ...row.map((n, k) =>
      make("td", { class: i === k ? "right" : null, "--share": all ? n / all : 0 }, n ? String(n) : "")));
  });
  return make("div", {}, make("p", {}, make("span", { class: "dot", "--colour": colourOf(run) }), run.name),
    make("div", { class: "wide" }, make("table", { class: "confusion" },
      make("tr", {}, make("th"), ...matrix.map((_, k) => make("th", {}, names[k] ?? String(k)))), ...rows)));
}

function confusions() {
  const tables = runs.map(confusion).filter((table) => table !== null);
  return tables.length ? make("section", { id: "confusion" }, make("h2", {}, "Confusion"),
    make("p", { class: "soft" }, "A row for each class, by what it was taken for, in the last epoch."), ...tables) : null;
}

/* ---- all of it ---- */

function show() {
  asked = false;
  const going = runs.filter((run) => stateOf(run) === "running").length, at = [scrollX, scrollY];
  const said = connected ? `${runs.length} log${runs.length === 1 ? "" : "s"}, ${going} running` : "tenon watch has ended, or cannot be reached";
  main.replaceChildren(...[make("header", {}, make("h1", {}, "Trainings"), make("p", { class: "soft", id: "state" }, said)),
    make("section", { id: "runs" }, make("div", { class: "runs" }, ...runs.map(card))), charts(), confusions()].filter((part) => part !== null));
  scrollTo(...at);
  document.title = (going ? `${going} running` : "Trainings") + " · tenon";
}

function ask() {
  if (!asked) setTimeout(show, 50);
  asked = true;
}

function take(event) {
  const number = event.run;
  if ("name" in event) runs[number] = { number, name: event.name, head: null, epochs: [], end: null, bad: [] };
  else if ("bad" in event) runs[number].bad.push([event.bad, event.why]);
  else if ("tenon" in event.line) { runs[number].head = event.line; runs[number].end = null; }
  else if ("done" in event.line) runs[number].end = event.line;
  else {
    const epochs = runs[number].epochs; /* a training that was resumed may do an epoch again */
    while (epochs.length && epochs[epochs.length - 1].epoch >= event.line.epoch) epochs.pop();
    epochs.push(event.line);
  }
  ask();
}

const source = new EventSource("events");
source.onopen = () => { connected = true; runs = []; ask(); };
source.onerror = () => { connected = false; ask(); };
source.onmessage = (message) => take(JSON.parse(message.data));
show();
