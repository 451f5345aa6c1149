const $ = id => document.getElementById(id);
const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// Every request goes through here: an answer tells which generation of the host gave it.
async function request(url, options) {
  const response = await fetch(url, options);
  showGeneration(response.headers.get("X-Dev-Generation"));
  if (!response.ok) {
    throw Object.assign(new Error(`HTTP ${response.status}`), { problem: await response.json().catch(() => ({})) });
  }
  return response;
}

const json = async (url, options) => (await request(url, options)).json();
const post = (url, body, { headers, ...options } = {}) =>
  json(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body), ...options });
const explain = error => error.problem?.detail ?? (Object.values(error.problem?.errors ?? {}).flat().join(" ") || error.message);

let generation = null;
function showGeneration(number) {
  if (!number || number === generation) {
    return;
  }
  const badge = $("generation");
  badge.textContent = `generation ${number}`;
  if (generation !== null) {
    badge.classList.remove("changed");
    void badge.offsetWidth; // restarts the animation
    badge.classList.add("changed");
  }
  generation = number;
  showGreeting();
}

async function showGreeting() {
  $("greeting").textContent = await (await request("greeting")).text();
}

// Orders

const listed = new Map();

function element(tag, text, className = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  node.className = className;
  return node;
}

function button(text, action) {
  const node = element("button", text, "small");
  node.addEventListener("click", action);
  return node;
}

function orderRow(order) {
  const row = document.createElement("tr");
  const payment = element("td", "", "end");
  if (order.paidAt) {
    payment.append(element("span", `paid ${clock.format(new Date(order.paidAt))}`, "paid"));
  } else {
    const buttons = element("span", "", "buttons");
    buttons.append(button("Pay", event => pay(order, event.target)), button("Pay & leave", event => payAndLeave(order, event.target)));
    payment.append(buttons);
  }
  row.append(
    element("td", clock.format(new Date(order.createdAt)), "quiet"),
    element("td", order.customer, "text"),
    element("td", `${order.quantity} × ${order.item}`, "text"),
    element("td", money.format(order.total), "number"),
    payment);
  return row;
}

function showOrder(order, fresh) {
  const row = orderRow(order);
  row.classList.toggle("fresh", fresh);
  const present = listed.get(order.id);
  listed.set(order.id, row);
  present ? present.replaceWith(row) : fresh ? $("orders").prepend(row) : $("orders").append(row);
}

let searching = null;
async function showOrders() {
  searching?.abort(); // only the newest answer counts; the server stops working on the older question
  searching = new AbortController();
  try {
    const orders = await json(`orders?search=${encodeURIComponent($("search").value)}`, { signal: searching.signal });
    listed.clear();
    $("orders").replaceChildren();
    orders.forEach(order => showOrder(order, false));
    $("no-orders").hidden = orders.length > 0;
  } catch (error) {
    if (error.name !== "AbortError") {
      throw error;
    }
  }
}

$("search").addEventListener("input", showOrders);

$("place").addEventListener("submit", async event => {
  event.preventDefault();
  const form = event.target;
  const { customer, item, quantity, unitPrice } = Object.fromEntries(new FormData(form));
  for (const input of form.querySelectorAll("input")) {
    input.removeAttribute("aria-invalid");
  }
  $("place-problem").textContent = "";
  try {
    const order = await post("orders", { customer, item, quantity: Number(quantity), unitPrice: Number(unitPrice) });
    showOrder(order, true);
  } catch (error) {
    $("place-problem").textContent = explain(error);
    for (const field of Object.keys(error.problem?.errors ?? {})) {
      form.elements[field]?.setAttribute("aria-invalid", "true");
    }
  }
});

async function pay(order, clicked) {
  clicked.disabled = true;
  clicked.textContent = "Paying …";
  try {
    const payment = await sendPayment(order);
    note("payment", "answered", `receipt ${payment.receipt}`);
  } catch (error) {
    note("payment", "refused", explain(error));
  }
  showOrder(await json(`orders/${order.id}`), true);
}

// One key for each order: a payment that is asked for again while it runs is the same payment, and gets the same receipt.
const sendPayment = (order, options) =>
  post("payments", { orderId: order.id }, { headers: { "Idempotency-Key": order.id }, ...options });

// The request is on its way, its sender is gone: the row turns to "paid" once the server reports the payment as completed.
function payAndLeave(order, clicked) {
  const leaving = new AbortController();
  clicked.parentElement.replaceChildren(
    element("span", "left … ", "quiet"), button("Ask again", event => pay(order, event.target)));
  sendPayment(order, { signal: leaving.signal }).catch(() => {});
  setTimeout(() => leaving.abort(), 250);
}

// Live feed

const feed = new EventSource("orders/stream");
feed.addEventListener("ready", () => setLive(true));
feed.addEventListener("order", event => {
  const order = JSON.parse(event.data);
  const search = $("search").value.trim().toLowerCase();
  if (!listed.has(order.id) && (order.customer + "\n" + order.item).toLowerCase().includes(search)) {
    showOrder(order, true);
    $("no-orders").hidden = true;
  }
});
feed.addEventListener("error", () => setLive(false)); // EventSource connects again by itself and says what it saw last

function setLive(on) {
  $("live").dataset.state = on ? "on" : "off";
  $("live").textContent = on ? "live feed" : "feed reconnecting";
}

// Slow report

let report = null;

function showReport(running, text) {
  $("report-start").disabled = running;
  $("report-leave").disabled = !running;
  $("report-result").textContent = text;
}

$("report-start").addEventListener("click", async () => {
  report = new AbortController();
  const started = performance.now();
  const ticking = setInterval(() => { $("report-progress").value = (performance.now() - started) / 1000; }, 100);
  showReport(true, "The server is working …");
  try {
    const { customers, revenue, seconds } = await json("orders/report", { signal: report.signal });
    $("report-progress").value = 10;
    showReport(false, `${money.format(revenue)} from ${customers.length} customers, in ${seconds} s.`);
  } catch (error) {
    $("report-progress").value = 0;
    showReport(false, error.name === "AbortError" ? `You left after ${((performance.now() - started) / 1000).toFixed(1)} s.` : explain(error));
  } finally {
    clearInterval(ticking);
  }
});

$("report-leave").addEventListener("click", () => report?.abort());

// Upload: XMLHttpRequest, because fetch does not report the progress of what it sends.

let upload = null;

function showUpload(running, text) {
  $("upload-start").disabled = running;
  $("upload-leave").disabled = !running;
  $("upload-result").textContent = text;
}

$("upload-start").addEventListener("click", () => {
  const megabytes = bytes => `${(bytes / 1048576).toFixed(0)} MB`;
  let sent = 0;
  upload = new XMLHttpRequest();
  upload.open("PUT", "uploads/sample.bin");
  upload.upload.addEventListener("progress", event => {
    sent = event.loaded;
    $("upload-progress").value = event.loaded / event.total;
    $("upload-result").textContent = `${megabytes(sent)} of ${megabytes(event.total)}`;
  });
  upload.addEventListener("load", () => {
    showGeneration(upload.getResponseHeader("X-Dev-Generation"));
    showUpload(false, upload.status === 200 ? `The server keeps ${megabytes(JSON.parse(upload.response).bytes)}.` : `HTTP ${upload.status}`);
  });
  upload.addEventListener("abort", () => showUpload(false, `You broke off after ${megabytes(sent)}.`));
  upload.addEventListener("error", () => showUpload(false, "The connection broke."));
  showUpload(true, "");
  upload.send(new Blob([new Uint8Array(48 * 1048576)]));
});

$("upload-leave").addEventListener("click", () => upload?.abort());

// What the server saw

const tones = {
  committed: "good", completed: "good", finished: "good", kept: "good", returned: "good",
  stopped: "warn", left: "warn", discarded: "warn", "rolled back": "warn", refused: "bad", failed: "bad",
};

function note(subject, outcome, detail, at = new Date()) {
  const entry = document.createElement("li");
  const tag = element("span", `${subject} ${outcome}`, "tag");
  tag.dataset.tone = tones[outcome] ?? "";
  entry.append(element("time", clock.format(at)), tag, element("span", detail, "detail"));
  $("activity").prepend(entry);
  while ($("activity").childElementCount > 100) {
    $("activity").lastElementChild.remove();
  }
  $("no-activity").hidden = true;
}

// A long poll: the answer comes with the next thing that happens, or empty after a while or when the host restarts.
async function watchActivity() {
  for (let seen = null; ;) {
    try {
      const entries = await json(seen === null ? "activity" : `activity?after=${seen}`);
      seen = entries.at(-1)?.number ?? seen ?? 0;
      for (const { at, subject, outcome, detail } of entries) {
        note(subject, outcome, detail, new Date(at));
      }
      if (entries.some(entry => entry.subject === "payment" && entry.outcome === "completed")) {
        await showOrders();
      }
    } catch {
      await new Promise(resolve => setTimeout(resolve, 500)); // the host is away for a moment
    }
  }
}

$("activity-clear").addEventListener("click", () => {
  $("activity").replaceChildren();
  $("no-activity").hidden = false;
});

showGreeting();
showOrders();
watchActivity();
