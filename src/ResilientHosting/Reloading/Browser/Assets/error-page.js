// Follows from the error page to the page that was asked for, once there is one, or to the next error.
const attempt = Number(document.documentElement.dataset.attempt);
const phase = document.getElementById("phase");
const words = { building: "Building…", swapping: "Starting…" };

new EventSource(new URL("events", import.meta.url)).addEventListener("status", event => {
  const status = JSON.parse(event.data);
  if (status.phase === "watching" && (status.attempt !== attempt || !status.failure)) {
    location.reload();
  } else {
    phase.textContent = words[status.phase] ?? "";
  }
});
