// Shows in a page what is wrong with the latest edit, above everything else and without touching anything of the page's own.
import css from "./failure.css.js";

const dismissedKey = "dev-reloader.dismissed";

// Constructed, because a page's security policy may forbid style elements and attributes, but not this.
const style = new CSSStyleSheet();
style.replaceSync(css);

let host;
let shown;

/** Shows a failure, unless it is on screen already or was dismissed. */
export function show(failure) {
  const key = JSON.stringify(failure);
  if (key === dismissed() || (key === shown && host?.isConnected)) {
    return;
  }

  shown = key;
  if (!host?.isConnected) {
    open();
  }

  // New content must not leave the focus on an element that is gone.
  const content = host.shadowRoot.querySelector(".content");
  const hadFocus = content.contains(host.shadowRoot.activeElement);
  content.replaceChildren(...contentOf(failure));
  const title = host.shadowRoot.getElementById("title");
  title.textContent = failure.title;
  if (hadFocus) {
    title.focus();
  }
}

/** Nothing is wrong any more. */
export function hide() {
  remember(undefined);
  close();
}

function open() {
  host = document.createElement("dev-reloader-overlay");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [style];
  const button = element("button", { type: "button", className: "close", ariaLabel: "Close" }, "×");
  const title = element("h1", { id: "title", tabIndex: -1 });
  title.setAttribute("aria-live", "polite");
  const dialog = element("dialog", { className: "failure" },
    element("header", {}, title, button),
    element("p", { className: "note" }, "Save a fix, and this goes away by itself. Esc closes it until the next failure."),
    element("div", { className: "content" }));
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-modal", "true");
  dialog.setAttribute("aria-labelledby", "title");
  root.append(dialog);
  document.documentElement.append(host);

  button.addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", event => keepFocus(event, root));
  dialog.addEventListener("close", () => {
    if (dialog.isConnected) {
      remember(shown);
      close();
    }
  });
  dialog.showModal();
  title.focus();
}

// A dialog gives the focus back to where it was when it closes, not when it is removed.
function close() {
  const closing = host;
  host = shown = undefined;
  closing?.shadowRoot.querySelector("dialog").close();
  closing?.remove();
}

// The page's shortcuts rest, and Tab goes round inside.
function keepFocus(event, root) {
  event.stopPropagation();
  if (event.key === "Tab") {
    const stops = [...root.querySelectorAll("a, button, summary")];
    const [first, last] = [stops[0], stops.at(-1)];
    const leaves = event.shiftKey ? [first, root.getElementById("title")] : [last];
    if (leaves.includes(root.activeElement)) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }
}

// Kept for the tab: whoever has dismissed a failure goes on using the last good version, page after page.
function dismissed() {
  try {
    return sessionStorage.getItem(dismissedKey);
  } catch {
    return null; // A sandboxed page has no storage.
  }
}

function remember(key) {
  try {
    if (key) {
      sessionStorage.setItem(dismissedKey, key);
    } else {
      sessionStorage.removeItem(dismissedKey);
    }
  } catch {
    // See above; such a page shows it again.
  }
}

function* contentOf(failure) {
  yield element("ol", { className: "diagnostics" }, ...failure.diagnostics.map(diagnostic => element("li", {},
    element("p", { className: "message" }, element("span", { className: "id" }, diagnostic.id), " ", diagnostic.message),
    element("p", { className: "place" }, linkTo(diagnostic), " ",
      diagnostic.project ? element("span", { className: "project" }, diagnostic.project) : ""),
    ...codeOf(diagnostic.code))));
  if (failure.moreDiagnostics) {
    yield element("p", { className: "note" }, `and ${failure.moreDiagnostics} more`);
  }

  if (failure.exception) {
    yield sectionOf(failure.exception);
    for (const cause of failure.exception.causes) {
      yield element("p", { className: "note" }, "caused by");
      yield sectionOf(cause);
    }
  }
}

function sectionOf(exception) {
  return element("section", {},
    element("h2", {}, exception.type),
    element("p", { className: "message" }, exception.message),
    ...codeOf(exception.ownFrames.find(frame => frame.code)?.code),
    element("ol", { className: "frames" }, ...exception.ownFrames.map(frame => element("li", {},
      element("span", { className: "method" }, frame.method), " ",
      element("span", { className: "place" }, linkTo(frame))))),
    exception.stack.length === 0 ? "" : element("details", {},
      element("summary", {}, `The whole stack (${exception.stack.length})`),
      element("pre", {}, exception.stack.join("\n"))));
}

function linkTo(place) {
  return place.editor ? element("a", { href: place.editor }, place.name) : place.name ?? "";
}

function codeOf(code) {
  return code ? [element("div", { className: "code", translate: false }, ...code.lines.map((line, index) => lineOf(code, line, index)))] : [];
}

function lineOf(code, text, index) {
  const isMarked = index === code.markedLine;
  const line = element("div", { className: isMarked ? "line marked" : "line" });
  line.dataset.number = code.firstLine + index;
  if (isMarked && code.markLength) {
    const end = code.markStart + code.markLength;
    line.append(text.slice(0, code.markStart), element("mark", {}, text.slice(code.markStart, end) || " "), text.slice(end));
  } else {
    line.append(text);
  }

  return line;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
