// The reloader at work, live. Whatever is shown goes into the page as text, never as markup.
const base = new URL(location.pathname.replace(/(\/page\.html|\/)?$/, "/"), location.href);
const mostReloads = 25;

// The runtime itself may keep one or two for a while, and nothing tells why.
const unknownThatAreALeak = 3;

const states = {
  starting: { mood: "busy", headline: "Starting", advice: "The compiler is being opened. What you save meanwhile is dealt with afterwards." },
  watching: { mood: "watching", headline: "Watching", advice: "Save a file, and the next request is answered by a new start." },
  building: { mood: "busy", headline: "Building", advice: "" },
  swapping: { mood: "busy", headline: "Swapping", advice: "Requests wait for the new generation." },
  paused: { mood: "paused", headline: "Paused", advice: "Edits are held back. Resume to serve them, as one reload." },
  broken: { mood: "broken", headline: "Broken", advice: "Save a fix." },
  away: { mood: "away", headline: "Not reachable", advice: "The server is away. This page goes on as soon as it is back." },
};

// A different shape for each, because not everybody sees the colours.
const signs = {
  watching: "M10 0a10 10 0 1 0 0 20a10 10 0 1 0 0-20zM8.6 14.6L4 10l1.7-1.7 2.9 2.9L14.5 5.400l1.700 1.700z",
  busy: "M10 0a10 10 0 1 0 10 10h-3.500a6.500 6.500 0 1 1-6.500-6.500z",
  paused: "M3 1h5v18H3zM12 1h5v18h-5z",
  broken: "M10 1l10 18H0zM9 7v6h2V7zM9 15v2h2v-2z",
  away: "M3.500 1L10 7.500 16.500 1 19 3.500 12.500 10 19 16.500 16.500 19 10 12.500 3.500 19 1 16.500 7.500 10 1 3.500z",
};

const causes = {
  client: "client left",
  client_stream_reset: "client reset the stream",
  slow_client: "client too slow",
  application: "aborted by the application",
  request_timeout: "request time-out",
  host_shutdown: "host stopped",
};

const $ = id => document.getElementById(id);
const plural = (count, one, many = one + "s") => `${count} ${count === 1 ? one : many}`;
const clock = time => new Date(time).toLocaleTimeString([], { hourCycle: "h23" });

function element(tag, className, ...content) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...content.filter(part => part != null && part !== ""));
  return made;
}

function duration(milliseconds) {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  return age(milliseconds);
}

function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function fileName(path) {
  return path.split(/[\\/]/).pop();
}

// ---- What serves, and what is being done

let status;

function stateOf(moment) {
  if (moment.phase === "building" || moment.phase === "swapping" || moment.phase === "starting") return states[moment.phase];
  if (moment.failure) return states.broken;
  return moment.paused ? states.paused : states.watching;
}

function showState(moment) {
  const state = stateOf(moment);
  showMood(state, moment.application);
  $("serving").textContent = servingOf(moment);
  $("advice").textContent = moment.paused && state === states.broken ? "Paused: resume to serve your fix." : state.advice;
  $("process").textContent = `Process ${moment.processId}, up ${age(Date.now() - new Date(moment.processStarted))}`;
  $("pause").textContent = moment.paused ? "Resume" : "Pause";
  $("pause").disabled = $("reload").disabled = false;
  $("failure").hidden = !moment.failure;
  if (moment.failure) {
    $("failure-title").textContent = moment.failure.title;
    draw("failure-place", moment.failure, showPlace);
  }
}

function servingOf(moment) {
  if (moment.serves) {
    const who = moment.failure ? `The last good version serves, as generation ${moment.generation},` : `Generation ${moment.generation} serves`;
    return `${who} since ${clock(moment.servingSince)}, for ${age(Date.now() - new Date(moment.servingSince))}.`;
  }

  return moment.phase === "swapping" ? `Generation ${moment.generation} is being replaced.` : "No generation serves: every request is answered with the error.";
}

/** Sets what can be seen at a glance: the headline, and the icon and the title of the tab. */
function showMood(state, application) {
  if (application) $("application").textContent = application;
  if ($("headline").textContent === state.headline) return;
  $("headline").textContent = state.headline;
  $("state").dataset.mood = state.mood;
  $("sign").setAttribute("d", signs[state.mood]);
  document.title = `${state.headline} · ${$("application").textContent}`;
  const colour = getComputedStyle($("headline")).color;
  $("icon").href = "data:image/svg+xml," + encodeURIComponent(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><path fill="${colour}" d="${signs[state.mood]}"/></svg>`);
}

/** The first thing to look at, as the compiler prints it. */
function showPlace({ diagnostics, exception }) {
  const first = diagnostics?.find(diagnostic => diagnostic.severity !== "warning");
  if (first) return [placeOf(first), `${first.id}: ${first.message}`];
  if (typeof exception === "string") return [exception.split("\n", 1)[0]];
  return exception ? [placeOf(exception.ownFrames?.[0]), `${exception.type}: ${exception.message}`] : [];
}

/** Where that is: a link to the editor if the server knows one. */
function placeOf(place) {
  if (!place?.file) return "";
  const name = `${fileName(place.file)}(${place.line},${place.column})`;
  if (!place.editor) return `${name}: `;
  const link = element("a", "", name);
  link.href = place.editor;
  return element("span", "", link, ": ");
}

// ---- Reloads

const rows = new Map();

function showReloads(history) {
  const latest = history.slice(-mostReloads);
  const keys = new Set(latest.map(reload => reload.time));
  for (const [key, row] of rows) {
    if (!keys.has(key)) {
      row.remove();
      rows.delete(key);
    }
  }

  // A row stays the same element, so that what was unfolded or focused in it remains so.
  for (const reload of latest) {
    if (!rows.has(reload.time)) {
      rows.set(reload.time, rowOf(reload));
      $("reloads").prepend(rows.get(reload.time));
    }
  }

  const scale = scaleFor(latest.map(reload => reload.totalMs));
  $("reloads").style.setProperty("--scale", scale);
  for (const reload of latest) {
    rows.get(reload.time).querySelector(".bar").classList.toggle("torn", reload.totalMs > scale);
  }

  $("scale-end").textContent = duration(scale);
  $("scale").hidden = latest.length === 0;
  $("no-reloads").hidden = latest.length > 0;
  $("earlier").hidden = history.length <= latest.length;
  $("earlier").textContent = `${plural(history.length - latest.length, "earlier reload")} in /_dev/status.`;
}

/** One scale for all bars. A single slow one, the first build say, is torn off rather than flattening the others. */
function scaleFor(totals) {
  const sorted = totals.toSorted((a, b) => a - b);
  const longest = Math.min(sorted.at(-1) ?? 1, 4 * (sorted[sorted.length >> 1] ?? 1));
  const unit = 10 ** Math.floor(Math.log10(Math.max(longest, 1)));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(step => step * unit >= longest) * unit;
}

function rowOf(reload) {
  const stages = [["wait", reload.waitMs], ["build", reload.buildMs], ["stop", reload.stopMs], ["start", reload.startMs]].filter(([, ms]) => ms > 0);
  const bar = element("div", "bar");
  bar.setAttribute("aria-hidden", "true");
  for (const [stage, ms] of stages) {
    const part = element("i", stage);
    part.style.setProperty("--ms", ms);
    bar.append(part);
  }

  const facts = [...stages.map(([stage, ms]) => `${stage} ${ms < 10 ? ms.toFixed(1) : Math.round(ms)}`)];
  if (reload.heldRequests > 0) facts.push(`${reload.heldRequests} held`);
  const more = element("div", "more small", element("p", "dim",
    `${clock(reload.time)} · `, reload.succeeded ? "" : element("strong", "bad", "not served"), reload.succeeded ? "" : " · ", facts.join(" · ")));
  if (reload.cutRequests.length > 0) more.append(unfolding(plural(reload.cutRequests.length, "request") + " cut", reload.cutRequests));
  if (reload.errors.length > 0) more.append(unfolding(shortened(reload.errors[0]), reload.errors));
  return element("li", "reload",
    element("span", "number" + (reload.succeeded ? "" : " bad"), reload.succeeded ? `${reload.generation}` : "✕"),
    element("span", "reason", reload.reason),
    bar,
    element("span", "total", duration(reload.totalMs)),
    more);
}

/** An error without the folder that its file is in. */
function shortened(error) {
  return error.split("\n", 1)[0].replace(/^[^(]*[\\/]/, "");
}

function unfolding(summary, lines) {
  return element("details", "", element("summary", "", summary),
    element("ul", "", ...lines.map(line => element("li", "", element("code", "", line.split("\n", 1)[0])))));
}

// ---- What lives

function poolOf(pool, serving) {
  const bar = element("div", "bar");
  bar.setAttribute("aria-hidden", "true");
  bar.style.setProperty("--scale", Math.max(pool.max, pool.used + pool.idle, 1));
  for (const part of ["used", "idle"]) {
    const piece = element("i", part);
    piece.style.setProperty("--ms", pool[part]);
    bar.append(piece);
  }

  return element("li", "pool",
    element("p", "top", element("strong", "", pool.name), element("span", "", `${pool.used} of ${pool.max} in use`)),
    bar,
    element("p", "small dim",
      `${pool.idle} idle`,
      pool.waiting > 0 ? element("strong", "held", ` · ${plural(pool.waiting, "request waits", "requests wait")}`) : " · none waiting",
      pool.generation === serving ? "" : ` · of generation ${pool.generation}, which has not ended`));
}

function showPools({ pools, generation }) {
  return pools.length > 0
    ? [element("ul", "list", ...pools.map(pool => poolOf(pool, generation)))]
    : [element("p", "empty", "No pools. ", element("code", "", "AddRequestScopedResource<T>(…).UsePool()"), " makes one.")];
}

function showAborts({ byCause, latest }) {
  const counts = Object.entries(byCause);
  if (counts.length === 0) {
    return [element("p", "empty", "None so far. ", element("code", "", "app.UseClientAbortTolerance()"), " tells them here, by cause.")];
  }

  return [
    element("ul", "causes", ...counts.map(([cause, count]) => element("li", "", `${causes[cause] ?? cause} `, element("strong", "", `${count}`)))),
    element("ol", "list", ...latest.toReversed().slice(0, 6).map(abort => element("li", "abort",
      element("p", "top", element("span", "", causes[abort.cause] ?? abort.cause), element("span", "dim", clock(abort.time))),
      element("p", "small dim", abort.route ? element("code", "", abort.route) : "", `${abort.route ? " · " : ""}in ${words(abort.phase)} · work ${words(abort.outcome)}`)))),
  ];
}

function words(name) {
  return name.replaceAll("_", " ");
}

function showRetired(retired) {
  const isUnknown = cause => cause.kind === "unknown";
  const unknown = retired.filter(({ heldBy }) => heldBy.some(isUnknown)).length;
  const [held, ending, ended] = [new Map(), [], []];
  for (const { generation, state, heldBy } of retired) {
    const causes = unknown < unknownThatAreALeak ? heldBy.filter(cause => !isUnknown(cause)) : heldBy;
    for (const cause of causes) {
      const same = held.get(cause.what) ?? { ...cause, generations: [] };
      same.generations.push(generation);
      held.set(cause.what, same);
    }

    if (causes.length === 0) (state === "ending" ? ending : ended).push(generation);
  }

  const shown = [...held.values()].map(cause => element("li", "",
    element("p", "", element("strong", cause.kind === "leak" ? "held" : "", `Generation ${cause.generations.join(", ")}`), " held by ", element("code", "", cause.what)),
    element("p", "small dim", cause.kind === "temporary" ? "Goes by itself: " : "", cause.hint)));
  for (const [generations, text] of [[ending, "ends: its host still stops, or a connection is still open"], [ended, "has ended and waits for the collector"]]) {
    if (generations.length > 0) shown.push(element("li", "dim", `Generation ${generations.join(", ")} ${text}`));
  }

  return shown.length > 0 ? [element("ul", "list", ...shown)] : [element("p", "empty", "None. Each was let go completely.")];
}

function showWatched(watched) {
  if (watched.length === 0) return [element("p", "empty", "Nothing yet: the sources are being found.")];
  return [element("ul", "list", ...watched.map(root => element("li", "",
    element("code", "", root.path),
    element("p", "small dim", `${plural(root.folders, "folder")} on ${root.fileSystem}, by ${root.backend}${root.listedFilesOnly ? ", only files that a project lists" : ""}`),
    root.reason ? element("p", "small held", `Polled: ${root.reason}`) : "")))];
}

const shown = new Map();

/** Draws a part of the page again if it has changed; what somebody reads or has selected stays untouched otherwise. */
function draw(id, data, content) {
  const text = JSON.stringify(data);
  if (shown.get(id) !== text) {
    shown.set(id, text);
    $(id).replaceChildren(...content(data));
  }
}

// ---- Keeping up

let looking = false;
let lookAgain = false;
let timer;

async function look() {
  if (looking) {
    lookAgain = true;
    return;
  }

  clearTimeout(timer);
  looking = true;
  const latest = await ask();
  looking = false;
  if (latest) {
    status = latest;
    showState(status);
    showReloads(status.history);
    draw("pools", { pools: status.pools, generation: status.generation }, showPools);
    draw("aborts", status.aborts, showAborts);
    draw("retired", status.retired, showRetired);
    draw("watched", status.watched, showWatched);
    listen();
  } else {
    showAway();
  }

  if (lookAgain) {
    lookAgain = false;
    look();
  } else if (!document.hidden) {
    timer = setTimeout(look, 1000);
  }
}

/** Answers nothing if the server doesn't. */
async function ask() {
  try {
    const response = await fetch(new URL("status", base), { signal: AbortSignal.timeout(5000) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

function showAway() {
  showMood(states.away);
  $("advice").textContent = states.away.advice;
  $("failure").hidden = true;
  $("pause").disabled = $("reload").disabled = true;
}

let events;

/** The server tells when something happens; what merely lives is asked for once a second. */
function listen() {
  if (events && events.readyState !== EventSource.CLOSED) return;
  events = new EventSource(new URL("events", base));
  events.addEventListener("status", event => {
    if (status) showState({ ...status, ...JSON.parse(event.data) });
    look();
  });
}

async function steer(what) {
  let refusal = "";
  try {
    const response = await fetch(new URL(what, base), { method: "POST", headers: { "X-Dev-Token": status.token } });
    if (!response.ok) refusal = await response.text();
  } catch {
    refusal = "The server did not answer.";
  }

  $("refusal").textContent = refusal;
  $("refusal").hidden = refusal === "";
  look();
}

$("pause").addEventListener("click", () => steer(status.paused ? "resume" : "pause"));
$("reload").addEventListener("click", () => steer("reload"));
document.addEventListener("visibilitychange", () => document.hidden || look());
look();
