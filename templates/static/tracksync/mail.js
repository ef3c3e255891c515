// The editor of a mail: a variable goes in at the cursor, and the preview follows what is typed.
// Without this file variables are typed, and the preview is shown by its button.
"use strict";

(() => {
  const form = document.querySelector("form[data-mail]");
  if (!form) return;
  const fields = [form.elements.subject, form.elements.body];
  const preview = form.querySelector("[data-preview]");
  let last = form.elements.body;
  let waiting;

  const show = () => form.requestSubmit(preview);
  const changed = () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 600);
  };

  for (const field of fields) {
    field.addEventListener("focus", () => { last = field; });
    field.addEventListener("input", changed);
  }
  form.elements.order.addEventListener("change", changed);
  form.elements.order.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); // looks at this order, and saves nothing
      show();
    }
  });
  for (const button of form.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.insert;
      last.setRangeText(`{{ ${name} }}`, last.selectionStart, last.selectionEnd, "end");
      last.focus();
      changed();
    });
  }
})();
