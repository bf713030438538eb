// A number changed in place: a small field over its cell, which Enter accepts and Escape gives up.

import { number, spelled } from "../engine/arrays.js";
import { h, on } from "./dom.js";

let last = () => {};

/** Gives up what is open: its cell is drawn anew. */
export function unedit() {
  last();
}

/**
 * @param {import("./grid.js").Grid} grid @param {import("./board.js").Square} square @param {string} name what is changed
 * @param {(value: number, keyed: boolean) => void} done who left by the keyboard comes back to the grid
 */
export function edit(grid, square, name, done) {
  const { left, top, width, height } = grid.box(square);
  const field = h("input", {
    class: "editor",
    type: "text",
    inputmode: "decimal",
    "aria-label": `${name}, row ${square.row}, column ${square.column}`,
  });
  const wide = Math.max(64, width);
  const box = { left: left + scrollX + (width - wide) / 2, top: top + scrollY + (height - 34) / 2, width: wide };
  for (const [side, length] of Object.entries(box)) field.style.setProperty(side, `${length}px`);
  field.value = String(spelled(square.value));
  let open = true;
  const close = (/** @type {boolean} */ accept, /** @type {boolean} */ keyed) => {
    if (!open) return;
    open = false;
    const value = typed(field.value);
    field.remove();
    if (accept && value !== null && !Object.is(value, square.value)) done(value, keyed);
    else grid.activate(square, keyed);
  };
  last = () => close(false, false);
  on(field, "keydown", (event) => {
    // What is no number stays to be mended.
    if (event.key === "Enter" && typed(field.value) !== null) close(true, true);
    if (event.key === "Escape") close(false, true);
    event.stopPropagation();
  });
  on(field, "input", () => (field.ariaInvalid = String(typed(field.value) === null)));
  on(field, "blur", () => close(true, false));
  document.body.append(field);
  field.select();
  field.focus();
}

/** A number, NaN, inf or -inf; null for what is none. @param {string} text */
function typed(text) {
  const word = text.trim().toLowerCase().replace(/^(?:\+|(-))?inf(inity)?$/, "$1inf").replace("nan", "NaN");
  const value = Number(word || "none");
  try {
    return Number.isFinite(value) ? value : number(word, "cell");
  } catch {
    return null;
  }
}
