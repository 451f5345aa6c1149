// Runs in the developer's pages: refreshes them when another generation serves, replaces style sheets that have changed, and shows what
// is wrong with the latest edit. A classic script, because a module makes older browsers disregard the page's own import map behind it.
(() => {
  const shortestPause = 200;
  const longestPause = 5000;
  const refreshedFor = "resilient-hosting.refreshed-for";

  const source = new URL((document.currentScript ?? document.querySelector("script[src*='/_dev/client.js']")).src);
  const base = new URL(".", source);

  // Once the page is parsed there can't be an import map any more.
  const overlay = parsed()
    .then(() => import(new URL("overlay.js", base)))
    .catch(error => console.warn("[dev reloader] Failures are not shown here.", error));

  // What the page was made by. A page that was given this script by hand doesn't know, and takes what serves when it is opened.
  let generation = source.searchParams.get("generation");
  let latestFile = "";
  let events;
  let pause = shortestPause;
  let wasConnected = false;
  let isForbidden = false;
  let reconnection;

  function connect() {
    clearTimeout(reconnection);
    if (events || isForbidden || document.hidden) {
      return;
    }
    events = new EventSource(new URL("events?files=" + latestFile, base));
    events.onopen = () => {
      pause = shortestPause;
      wasConnected = true;
    };
    events.onerror = reconnect;
    events.addEventListener("status", event => onStatus(JSON.parse(event.data)));
    events.addEventListener("files", event => onFiles(JSON.parse(event.data)));
  }

  // Also lets go of the connection while the page is out of sight: over HTTP/1.1 a browser has six for all its tabs.
  function disconnect() {
    clearTimeout(reconnection);
    events?.close();
    events = undefined;
  }

  async function reconnect() {
    const wasRefused = events.readyState === EventSource.CLOSED;
    disconnect();
    if (wasRefused && wasConnected && await isAnsweredByAnother()) {
      refresh("another server");
      return;
    }
    reconnection = setTimeout(connect, pause);
    pause = Math.min(pause * 2, longestPause);
  }

  // After a restart of the process, without the reloader perhaps, or with one that hasn't yet seen the path base of this page.
  async function isAnsweredByAnother() {
    try {
      const answer = await fetch(new URL("status", base), { cache: "no-store" });
      return answer.status === 404 || answer.ok && !answer.headers.get("content-type")?.startsWith("application/json");
    } catch {
      return false;
    }
  }

  async function onStatus(status) {
    generation ??= status.id;
    if (status.id === generation) {
      sessionStorage.removeItem(refreshedFor);
    } else if (status.phase === "watching" && !status.failure) {
      refresh(status.id);
    }
    const shown = await overlay;
    if (status.failure) {
      shown?.show(status.failure);
    } else {
      shown?.hide();
    }
  }

  async function onFiles({ latest, paths }) {
    latestFile = latest;
    if (paths.length === 0) {
      return;
    }
    await renew(paths);
    if (paths.every(path => path.endsWith(".css"))) {
      replaceStyleSheets(paths, latest);
    } else {
      refresh("file " + latest);
    }
  }

  // A page that comes from a cache, a service worker's for example, would be refreshed for ever.
  function refresh(reason) {
    const mark = reason + " " + location.href;
    if (sessionStorage.getItem(refreshedFor) === mark) {
      console.warn("[dev reloader] The page was refreshed and is still an older version. Does it come from a cache?");
      return;
    }
    sessionStorage.setItem(refreshedFor, mark);
    location.reload();
  }

  // A browser takes from its cache what it has just fetched, even for a page that is loaded again.
  async function renew(paths) {
    const known = performance.getEntriesByType("resource").map(entry => entry.name);
    const changed = new Set(known.filter(address => paths.some(path => isFileOf(address, path))));
    await Promise.allSettled([...changed].map(address => fetch(address, { cache: "reload" })));
  }

  function replaceStyleSheets(paths, version) {
    const links = [...document.querySelectorAll("link[rel~=stylesheet]:not([data-dev-replaces])")]
      .filter(link => link.href.startsWith(location.origin + "/"));
    const changed = links.filter(link => paths.some(path => isFileOf(link.href, path)));

    // What no link names may be imported by any of them.
    for (const link of changed.length > 0 ? changed : links) {
      replace(link, version);
    }
  }

  // The old one stays until the new one is there, so that the page is never seen without.
  function replace(link, version) {
    if (link.nextElementSibling?.matches("[data-dev-replaces]")) {
      link.nextElementSibling.remove();
    }
    const next = link.cloneNode();
    const address = new URL(link.href);
    address.searchParams.set("dev", version);
    next.href = address;
    next.removeAttribute("integrity");
    next.dataset.devReplaces = "";
    next.addEventListener("load", () => {
      link.remove();
      delete next.dataset.devReplaces;
    });
    next.addEventListener("error", () => next.remove());
    link.after(next);
  }

  // Below whatever path, and with or without the fingerprint that the build may have put into the name.
  function isFileOf(address, path) {
    const { origin, pathname } = new URL(address, location.href);
    const end = "/" + encodeURI(path);
    return origin === location.origin
      && (pathname.endsWith(end) || pathname.replace(/\.[a-z0-9]{10}(\.[^./]+)$/, "$1").endsWith(end));
  }

  function parsed() {
    return new Promise(resolve => {
      if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", resolve, { once: true });
      } else {
        resolve();
      }
    });
  }

  // A policy that the page carries in itself came too late to keep this script out, but not its connections.
  document.addEventListener("securitypolicyviolation", violation => {
    if (violation.effectiveDirective === "connect-src" && violation.blockedURI.startsWith(base.href)) {
      isForbidden = true;
      disconnect();
    }
  });

  document.addEventListener("visibilitychange", () => document.hidden ? disconnect() : connect());
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", event => event.persisted && connect());
  connect();
})();
