// The report's behaviour: theme, charts, episode browser. No library but Plotly, which stands before
// it in the page. Everything a model wrote is set as text (textContent), never as markup.
"use strict";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const figures = read("figures");
const { models, episodes } = read("episodes");
const hash = new URLSearchParams(location.hash.slice(1));

// --- theme -------------------------------------------------------------------------------------

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";
const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

function setTheme(theme) {
  root.dataset.theme = theme;
  drawCharts();
}

if (["light", "dark"].includes(hash.get("theme"))) root.dataset.theme = hash.get("theme");
document.getElementById("theme").addEventListener("click", () => setTheme(isDark() ? "light" : "dark"));
systemDark.addEventListener("change", drawCharts);

// Paper is white: a dark page is printed light and comes back afterwards.
let screenTheme;
addEventListener("beforeprint", () => { screenTheme = root.dataset.theme; setTheme("light"); });
addEventListener("afterprint", () => {
  if (screenTheme) root.dataset.theme = screenTheme; else delete root.dataset.theme;
  drawCharts();
});

// --- charts ------------------------------------------------------------------------------------

function drawCharts() {
  const ink = colour("--ink"), line = colour("--line"), muted = colour("--muted");
  for (const [id, figure] of Object.entries(figures)) {
    const element = document.getElementById(id);
    if (!element) continue;
    const data = figure.data.map((trace) => {
      const series = colour(`--s${trace.meta.series % 7}`);
      const errors = trace.type === "bar" ? ink : series;
      return {
        ...trace,
        marker: {
          ...trace.marker,
          color: series,
          ...(trace.type === "bar" && {
            line: { color: series, width: 1.5 },
            pattern: { ...trace.marker.pattern, fgcolor: series, bgcolor: colour("--soft") },
          }),
        },
        line: { ...trace.line, color: series, width: 2 },
        ...(trace.error_x && { error_x: { ...trace.error_x, color: errors } }),
      };
    });
    const axis = (given) => ({ ...given, gridcolor: line, linecolor: line, tickcolor: line, color: muted });
    const layout = {
      ...figure.layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: ink },
      hoverlabel: { bgcolor: colour("--panel"), bordercolor: line, font: { color: ink } },
      xaxis: axis(figure.layout.xaxis),
      yaxis: axis(figure.layout.yaxis),
    };
    Plotly.react(element, data, layout, { responsive: true, displayModeBar: false });
  }
}

// --- episode browser ---------------------------------------------------------------------------

const form = document.getElementById("filters");
const list = document.getElementById("list");
const panel = document.getElementById("episode");
const FILTERS = ["model", "class", "world", "success", "task"];
let beside = hash.get("beside") || "";

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}

const verdictOf = (episode) => (episode.success === null ? "unjudged" : episode.success ? "yes" : "no");
const VERDICTS = { yes: ["solved", "good"], no: ["not solved", "bad"], unjudged: ["not judged", ""] };

function matches(episode) {
  const wanted = Object.fromEntries(FILTERS.map((name) => [name, form.elements[name].value]));
  const classes = episode.classes;
  return (wanted.model === "" || episode.model === Number(wanted.model))
    && episode.task.toLowerCase().includes(wanted.task.trim().toLowerCase())
    && (wanted.world === "" || episode.world === wanted.world)
    && (wanted.success === "" || verdictOf(episode) === wanted.success)
    && (wanted.class === ""
      || (wanted.class === "any" && classes.length > 0)
      || (wanted.class === "none" && classes.length === 0)
      || classes.includes(wanted.class));
}

function row(episode, number) {
  const button = make("button");
  button.type = "button";
  button.dataset.episode = number;
  button.append(make("span", "task", episode.task));
  button.append(make("span", "detail", models[episode.model]));
  const [words, mood] = VERDICTS[verdictOf(episode)];
  button.append(make("span", `tag ${mood}`, words));
  for (const name of episode.classes) button.append(make("span", "tag bad", name));
  button.addEventListener("click", () => { show(number); remember(); });
  const item = make("li");
  item.append(button);
  return item;
}

function turn(who, text, className) {
  const element = make("div", `turn ${className || ""}`);
  element.append(make("p", "who", who), make("pre", "", text));
  return element;
}

function callText(call, violations) {
  const wrong = new Set(violations.filter((v) => v.tool === call.name && v.argument).map((v) => v.argument));
  const pre = make("pre");
  pre.append(`${call.name}(`);
  Object.entries(call.arguments).forEach(([name, value], index) => {
    if (index) pre.append(", ");
    pre.append(wrong.has(name) ? make("mark", "", `${name}=${value}`) : `${name}=${value}`);
  });
  pre.append(")");
  return pre;
}

function replyTurns(reply, index) {
  const [prompt, cached, written] = reply.tokens;
  const ended = { length: " · cut off at its longest length", looping: " · ended because its text looped" }[reply.stop] || "";
  const who = `reply ${index + 1} · ${written} tokens, prompt ${prompt} (${cached} cached) · ${reply.seconds} s${ended}`;
  const element = turn(who, reply.raw, reply.violations.length ? "broken" : "");
  if (reply.calls.length) element.append(make("p", "who", "read as"));
  for (const call of reply.calls) element.append(callText(call, reply.violations));
  if (reply.violations.length) {
    const found = make("ul");
    for (const violation of reply.violations) {
      const item = make("li");
      item.append(make("b", "", violation.class), ` ${violation.message}`);
      found.append(item);
    }
    element.append(found);
  }
  const turns = [element];
  if (reply.observation !== null) turns.push(turn("observation", reply.observation, reply.error ? "error" : ""));
  if (reply.hint) {
    const { trigger, text, helped } = reply.hint;
    const effect = helped === null ? "no reply after it" : helped ? "helped" : "did not help";
    turns.push(turn(`watchdog's hint · ${trigger} · ${effect}`, text));
  }
  return turns;
}

// --- two models on the same task ---------------------------------------------------------------

const said = (reply) => (reply ? JSON.stringify([reply.calls, reply.conclusion]) : "");

function firstDifference(one, other) {
  const longest = Math.max(one.replies.length, other.replies.length);
  for (let index = 0; index < longest; index += 1) {
    if (said(one.replies[index]) !== said(other.replies[index])) return index;
  }
  return -1;
}

function column(episode, differs) {
  const element = make("div", "column");
  element.append(make("h4", "", models[episode.model]));
  element.append(make("p", "detail", [VERDICTS[verdictOf(episode)][0], ...episode.classes].join(" · ")));
  episode.replies.forEach((reply, index) => {
    if (index === differs) element.append(make("p", "tag bad", "first difference"));
    element.append(...replyTurns(reply, index));
  });
  if (differs >= episode.replies.length) element.append(make("p", "tag bad", "first difference: no further reply"));
  if (episode.failure) element.append(turn("engine failed", episode.failure, "error"));
  return element;
}

function chooser(number, others) {
  const label = make("label", "beside", "Beside it ");
  const select = make("select");
  select.append(new Option("no other model", ""));
  for (const other of others) select.append(new Option(models[other.model], other.model));
  select.value = beside;
  select.addEventListener("change", () => { beside = select.value; show(number); remember(); });
  label.append(select);
  return label;
}

function replies(episode, other) {
  if (!other) return episode.replies.flatMap(replyTurns);
  const differs = firstDifference(episode, other);
  const pair = make("div", "pair");
  pair.append(column(episode, differs), column(other, differs));
  return [make("p", "detail", differs < 0 ? "Both did the same." : ""), pair];
}

function show(number) {
  const episode = episodes[number];
  if (!episode) return;
  for (const button of list.querySelectorAll("button")) {
    button.setAttribute("aria-current", String(Number(button.dataset.episode) === number));
  }
  const tools = make("details");
  tools.append(make("summary", "", `${episode.tools.length} tools offered`), make("pre", "", episode.tools.join("\n")));
  const words = [
    models[episode.model], episode.world, episode.kind, episode.outcome, episode.forced && "conclusion forced",
    VERDICTS[verdictOf(episode)][0],
  ];
  const others = episodes.filter((one) => one.task === episode.task && one !== episode);
  const other = others.find((one) => String(one.model) === beside);
  panel.replaceChildren(
    make("h3", "", episode.task),
    make("p", "detail", words.filter(Boolean).join(" · ")),
    ...(others.length ? [chooser(number, others)] : []),
    tools,
    ...episode.opening.map((message) => turn(message.role, message.text)),
    ...replies(episode, other),
  );
  if (episode.failure && !other) panel.append(turn("engine failed", episode.failure, "error"));
  panel.scrollTop = 0;
  panel.dataset.episode = number;
}

function filter() {
  const kept = episodes.map((episode, number) => [episode, number]).filter(([episode]) => matches(episode));
  list.replaceChildren(...kept.map(([episode, number]) => row(episode, number)));
  document.getElementById("count").textContent = `${kept.length} of ${episodes.length} episodes`;
  const chosen = Number(panel.dataset.episode ?? -1);
  if (kept.some(([, number]) => number === chosen)) show(chosen);
  else if (kept.length) show(kept[0][1]);
  else panel.replaceChildren(make("p", "muted", "No episode fits."));
}

// The address keeps the filter and the episode, so that a finding can be linked to.
function remember() {
  const state = new URLSearchParams();
  for (const name of FILTERS) if (form.elements[name].value) state.set(name, form.elements[name].value);
  if (panel.dataset.episode) state.set("episode", panel.dataset.episode);
  if (beside) state.set("beside", beside);
  history.replaceState(null, "", `#${state}`);
}

for (const name of FILTERS) if (hash.has(name)) form.elements[name].value = hash.get(name);
form.addEventListener("submit", (event) => event.preventDefault());
for (const event of ["change", "input"]) form.addEventListener(event, () => { filter(); remember(); });
filter();
if (hash.has("episode")) show(Number(hash.get("episode")));
drawCharts();
