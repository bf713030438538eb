// Where the page begins: its data, the rows of the frameworks, and the examples.

import { begin } from "./view/app.js";

/** @param {string} id */
function block(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

export const page = begin(block("data"), block("dialects"), block("examples"));
