"use strict";
(() => {
  // A lost connection, a time-out or an error of the server: one line, and what was typed stays.
  const lost = document.getElementById("lost");
  const tell = (shown) => { lost.textContent = shown ? lost.dataset.text : ""; lost.hidden = !shown; };
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      // The poll of the SMS goes on by itself, and an ended session leads away.
      if (event.target.id !== "sms" && event.detail.xhr?.status !== 401) tell(true);
    });
  }
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id !== "sms") { tell(false); event.target.setAttribute("aria-busy", "true"); }
  });
  document.addEventListener("htmx:afterRequest", (event) => event.target.removeAttribute("aria-busy"));

  // A page that the browser keeps for Back may belong to a session that has ended: hide it, then load it anew.
  addEventListener("pagehide", (event) => { if (event.persisted) document.documentElement.hidden = true; });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // Copying and sharing, where the browser can; elsewhere the buttons stay hidden, and the link is there to read.
  const show = () => {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
    for (const button of document.querySelectorAll("[data-share]")) button.hidden = !navigator.share;
  };
  document.addEventListener("htmx:afterSettle", show);
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]"), share = event.target.closest("[data-share]");
    if (share) navigator.share({ url: share.dataset.share }).catch(() => {});
    if (!copy) return;
    await navigator.clipboard.writeText(copy.dataset.copy);
    const label = copy.querySelector("span"), said = document.getElementById("copied");
    const text = copy.dataset.label ??= label.textContent;
    label.textContent = said.textContent = copy.dataset.done;
    setTimeout(() => { label.textContent = text; said.textContent = ""; }, 2000);
  });

  // Uploads: what is too large is told before it is sent, and the rest shows how far it is.
  document.addEventListener("change", ({ target }) => {
    if (!target.dataset?.max) return;
    target.setCustomValidity(target.files[0]?.size > target.dataset.max ? target.dataset.large : "");
    target.reportValidity();
  });
  document.addEventListener("htmx:beforeRequest", ({ target }) => {
    const bar = target.querySelector?.("progress");
    if (bar) { bar.value = 0; bar.hidden = true; }
  });
  document.addEventListener("htmx:xhr:progress", ({ target, detail }) => {
    const bar = target.querySelector?.("progress");
    if (!bar || !detail.lengthComputable || detail.loaded / detail.total < bar.value) return;
    bar.hidden = false;
    bar.value = detail.loaded / detail.total;
  });

  // Times stand there in the site's zone; a reader in another one gets the own.
  const local = () => {
    for (const time of document.querySelectorAll("time[data-local]")) {
      const moment = new Date(time.dateTime), today = moment.toDateString() === new Date().toDateString();
      const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      if (time.dataset.local === "seconds") parts.second = "2-digit";
      if (time.dataset.local === "day" || !today) Object.assign(parts, { day: "numeric", month: "long" });
      delete time.dataset.local;
      const language = document.documentElement.lang === "ru" ? "ru" : "en-GB";
      time.textContent = moment.toLocaleString(language, parts).replace(/ (в|at) /, ", ");
    }
  };
  document.addEventListener("htmx:afterSettle", local);
  document.addEventListener("DOMContentLoaded", local);

  // Countdowns: the server wrote the true text, this lets it tick and enables the button beside it. The seconds count
  // from when they came: the device's clock may be wrong.
  setInterval(() => {
    for (const clock of document.querySelectorAll("[data-left]")) {
      clock.dataset.since ??= Date.now();
      const left = Math.ceil(clock.dataset.left - (Date.now() - clock.dataset.since) / 1000);
      if (left > 0) {
        clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      } else {
        clock.closest("form")?.querySelector("button[disabled]")?.removeAttribute("disabled");
        clock.closest(".hint")?.remove();
      }
    }
  }, 1000);
})();
