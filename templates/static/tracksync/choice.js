// The choice of a store: the preview follows the answers, and the progress follows the work.
// Without this file the page does the same with its buttons.
"use strict";

(() => {
  const form = document.querySelector("form[data-choice]");
  const effect = document.getElementById("effect");
  if (form && effect) {
    let waiting;
    let asking;

    const look = async () => {
      asking?.abort();
      asking = new AbortController();
      const query = new URLSearchParams({ fragment: "effect" });
      for (const name of ["timing", "number_source", "delay_hours", "mail_sender", "is_switched_off"]) {
        query.set(name, new FormData(form).getAll(name).at(-1) ?? "");
      }
      try {
        const answer = await fetch(`${form.dataset.choice}?${query}`, { signal: asking.signal });
        if (answer.ok && !answer.redirected) {
          effect.innerHTML = await answer.text();
          effect.removeAttribute("aria-busy");
          return;
        }
        form.querySelector("[data-look]").hidden = false;
      } catch (error) {
        if (error.name !== "AbortError") form.querySelector("[data-look]").hidden = false;
      }
    };

    const changed = () => {
      // What is shown is about the answers before: it cannot be saved until it is about these.
      effect.setAttribute("aria-busy", "true");
      effect.querySelector("[value=save]")?.setAttribute("disabled", "");
      clearTimeout(waiting);
      waiting = setTimeout(look, 250);
    };

    form.addEventListener("input", changed);
    form.querySelector("[data-look]").hidden = true;
  }

  const progress = document.querySelector("[data-progress]");
  if (progress) {
    const again = async () => {
      try {
        const answer = await fetch(progress.dataset.progress);
        if (answer.ok && !answer.redirected) progress.innerHTML = await answer.text();
      } catch {
        // The next look may find the server again.
      }
      if (!progress.querySelector("[data-done]")) setTimeout(again, 2000);
    };
    setTimeout(again, 1500);
  }
})();
