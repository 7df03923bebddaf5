// What plain HTML can't do: say that the page is live, and copy a secret. Everything else works
// without it.
document.addEventListener("htmx:sseOpen", () => show("[data-live]", true));
document.addEventListener("htmx:sseError", () => show("[data-live]", false));

document.querySelectorAll("[data-copies]").forEach((button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = button.dataset.done;
  });
});

function show(selector, visible) {
  document.querySelectorAll(selector).forEach((element) => { element.hidden = !visible; });
}
