// What plain HTML can't do: say that the page is live, keep what somebody is using from being
// replaced under their hands, and copy. Everything else works without it.
document.addEventListener("htmx:sseOpen", () => show("[data-live]", true));
document.addEventListener("htmx:sseError", () => show("[data-live]", false));

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (part.matches("[data-live-list]") && part.contains(document.activeElement)) {
    event.detail.shouldSwap = false;
  }
});

document.addEventListener("htmx:load", reveal);
document.addEventListener("DOMContentLoaded", reveal);
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-text], [data-copies], [data-fetches]");
  if (!button) return;
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": asText(button) })]);
  const label = button.innerHTML;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.innerHTML = label; }, 2000);
});

// Enter in a field with a button of its own presses that one, not the first of the form.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches(".adding input")) return;
  event.preventDefault();
  event.target.parentElement.querySelector("button").click();
});

// A promise of the text: what has to be fetched first may take longer than a click counts.
async function asText(button) {
  const { text, copies, fetches } = button.dataset;
  const found = text ?? (copies ? document.getElementById(copies).textContent
    : await (await fetch(fetches)).text());
  return new Blob([found], { type: "text/plain" });
}

function reveal() {
  if (navigator.clipboard) show("[data-text], [data-copies], [data-fetches]", true);
}

function show(selector, visible) {
  document.querySelectorAll(selector).forEach((element) => { element.hidden = !visible; });
}
