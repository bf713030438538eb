// The same call as code: a tab for cenote and for each framework that is called.

import { RuleError } from "../engine/windows.js";
import { ours, theirs } from "../engine/snippets.js";
import { h, on, put, the } from "./dom.js";

/** @typedef {import("../engine/state.js").State} State */

/** @param {import("./app.js").Page} page @returns {import("./app.js").Panel} */
export function snippetsPanel({ dialects, say, view }) {
  /** @type {{name: string, title: string, write: (state: State) => string}[]} */
  const kinds = [
    { name: "cenote", title: "cenote", write: ours },
    ...dialects.flatMap((row) =>
      row.code ? [{ name: row.name, title: row.code.title, write: (/** @type {State} */ state) => theirs(row, state) }] : [],
    ),
  ];
  let chosen = 0;
  const [code, text, copy, refusal] = ["snippet-code", "snippet-text", "snippet-copy", "snippet-refusal"].map(the);
  const tabs = kinds.map(({ name, title }, i) =>
    h(
      "button",
      { type: "button", role: "tab", id: `snippet-${name}`, "aria-controls": "snippet", onclick: () => choose(i) },
      title,
    ),
  );
  put("snippet-tabs", ...tabs);
  on("snippet-tabs", "keydown", moved);
  on(copy, "click", copied);
  choose(0);
  return { update: write };

  /** @param {number} i */
  function choose(i) {
    chosen = i;
    tabs.forEach((tab, k) => {
      tab.ariaSelected = String(k === i);
      tab.tabIndex = k === i ? 0 : -1;
    });
    the("snippet").setAttribute("aria-labelledby", tabs[i].id);
    write();
  }

  /** @param {KeyboardEvent} event */
  function moved(event) {
    const count = tabs.length;
    const to = { ArrowRight: (chosen + 1) % count, ArrowLeft: (chosen + count - 1) % count, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
    tabs[to].focus();
  }

  function write() {
    let [written, refused] = ["", ""];
    try {
      written = kinds[chosen].write(view().state);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      refused = `\u2298 ${error.message}`;
    }
    if (code.textContent !== written) put(code, written); // what somebody selected stays so
    put(refusal, refused);
    text.hidden = copy.hidden = !written;
  }

  async function copied() {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
      say("the code is copied");
    } catch {
      // No clipboard, or none that a page in a frame may use.
      getSelection()?.selectAllChildren(code);
      text.focus();
      say("the code is selected: copy it with the keyboard");
    }
  }
}
