// Keeps the content of a page fresh: every few seconds it is fetched anew and swapped in, unless that would disturb the
// reader (an open form control, a selection, a hidden tab, the Live box unticked). Without this script the pages work as well.
"use strict";

const refreshMilliseconds = 3000;
const liveKey = "seq2seq-live";
const live = document.getElementById("live");

function isDisturbing(content) {
  const focused = document.activeElement;
  const selection = document.getSelection();
  return (
    document.hidden ||
    (live && !live.checked) ||
    (focused && content.contains(focused) && focused.matches("input, select, textarea")) ||
    (selection && !selection.isCollapsed && content.contains(selection.anchorNode))
  );
}

function openKeys(content) {
  return [...content.querySelectorAll("details[open][data-key]")].map((details) => details.dataset.key);
}

async function refresh() {
  const content = document.getElementById("content");
  if (isDisturbing(content)) {
    return;
  }

  const response = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!response.ok) {
    return;
  }

  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("content");
  if (!fresh || isDisturbing(content)) {
    return;
  }

  for (const key of openKeys(content)) {
    fresh.querySelector(`details[data-key="${CSS.escape(key)}"]`)?.setAttribute("open", "");
  }

  const focusedLink = document.activeElement?.closest("#content a")?.getAttribute("href");
  content.replaceWith(fresh);
  if (focusedLink) {
    fresh.querySelector(`a[href="${CSS.escape(focusedLink)}"]`)?.focus({ preventScroll: true });
  }
}

function keepRefreshing() {
  setTimeout(async () => {
    const content = document.getElementById("content");
    if (!content?.dataset.refresh) {
      return;
    }

    try {
      await refresh();
    } catch {
      // The service may be restarting; the next round tries again.
    }

    keepRefreshing();
  }, refreshMilliseconds);
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) {
    event.preventDefault();
  }
});

if (live && document.getElementById("content")?.dataset.refresh) {
  live.checked = sessionStorage.getItem(liveKey) !== "off";
  live.closest("label").hidden = false;
  live.addEventListener("change", () => sessionStorage.setItem(liveKey, live.checked ? "on" : "off"));
}

keepRefreshing();
